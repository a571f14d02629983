/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analysis: what a target tells of itself, found out once for all who say it:
 * why the process died, which threads do the same, where a stack repeats, and
 * what is missing and why.
 *
 * Nothing here writes a page or a message. What is not certain is not told.
 */
#ifndef ANALYSIS_ANALYSIS_H
#define ANALYSIS_ANALYSIS_H

#include "disasm/disasm.h"
#include "inspect/inspect.h"
#include "values/values.h"

/* ---- why a process died: cause.c, culprit.c, effect.c ------------------------------ */
enum cause_access {
	CAUSE_ACCESS_UNKNOWN,
	CAUSE_READ, CAUSE_WRITE,
	CAUSE_EXECUTE,          /* the pc is the address */
};
struct cause {
	int number, code;       /* as the system gave them; 0 = no signal */
	const char *signal;     /* "SIGSEGV"; NULL = none, or unknown here */
	const char *code_name;  /* "SEGV_MAPERR", or NULL */
	const char *text;       /* a clause that explains it */
	const char *kind;       /* "null-deref", …; NULL = none is certain */
	uint8_t access;         /* enum cause_access: to the address */
	bool has_sender;
	uint64_t sender_pid, sender_uid;
	/** At which a signal hit that the kernel sent; or NULL. */
	const struct disasm_entry *instruction;
	/** What the program's text says at the place of the access, or what it
	 * calls: by cause_explain(), where it is certain; or NULL. */
	const char *expression;
	const char *pointer;    /* in it, what leads to nowhere; or NULL */
	uint64_t pointer_value;
	size_t expression_frame;        /* in whose scope; from 0 */
};
/** Of the target that @i inspects; all of it is owned by @a. */
struct err *cause_find(struct insp *i, struct arena *a, struct cause *out)
	_must_check_;
/**
 * Find out which expression of the source the access is of, and say so in the
 * text of @c. Needs the source, debug information and what @vs knows; where
 * one of these is missing, or more than one expression could be meant, @c is
 * left as it is.
 */
struct err *cause_explain(struct cause *c, struct insp *i, struct values *vs,
			  struct arena *a) _must_check_;
/** Its text, with the direction of the access where that is certain. */
void cause_put_sentence(const struct cause *c, struct buf *out);
/** "read", "write", "execute"; NULL for CAUSE_ACCESS_UNKNOWN. */
const char *cause_access_text(uint8_t access);
/** "reads 4 bytes at …", for each operand in memory, and the registers. */
void effect_put(const struct disasm_entry *e, struct buf *out);

/* ---- threads that do the same: groups.c --------------------------------- */
/** Threads whose stacks are the same, pc by pc, and end for the same reason. */
struct group {
	size_t first;           /* thread that stands for all */
	size_t n;
};
/** Threads in the order in which they are added. */
struct groups {
	struct group *list;
	size_t n;
	size_t *of;             /* each thread's group */
	size_t threads;         /* that were added */
	struct arena *arena;
	struct group_stack *stacks;     /* one a group */
	uint32_t *table;                /* by hash; 0 = empty, else 1 + group */
	size_t mask;
};
/** Room for @threads, in @a. */
struct err *groups_init(struct groups *g, size_t threads, struct arena *a)
	_must_check_;
/** The stack of the next thread, of which @pcs are copied. */
struct err *groups_add(struct groups *g, const uint64_t *pcs, size_t n,
		       enum stack_end end) _must_check_;
struct err *groups_add_view(struct groups *g, const struct view *v)
	_must_check_;
/** The next thread of @i, unwound and not named: faster by far than by its
 * view. */
struct err *groups_add_next(struct groups *g, struct insp *i) _must_check_;

/* ---- frames that come again: folds.c ------------------------------------ */
/** A cycle of frames and how often it is there. */
struct fold {
	size_t first;           /* of the cycle, which has @period frames */
	size_t period;
	size_t n;               /* frames in all, a multiple of @period */
};
/** Does a cycle that is worth folding begin at frame @at? The shortest. */
bool fold_at(const struct view *v, size_t at, struct fold *out);

/* ---- what is missing: missing.c ----------------------------------------- */
/** Memory that was mapped but not captured, for one reason. */
struct absence {
	uint64_t bytes;
	uint64_t from_file;     /* of these, read from modules' files */
};
/** What names are missing for the frames in a module. */
struct namelessness {
	size_t frames;          /* how many frames are in it */
	size_t nameless;        /* without a function */
	size_t lineless;        /* with a function but without a line */
};
struct missing {
	struct absence absent[SNAP_REASONS];
	struct namelessness *modules;
	size_t n_modules;
	const char *const *gaps;        /* sentences */
	size_t n_gaps;
};
struct err *missing_init(struct missing *m, struct insp *i, struct arena *a)
	_must_check_;
/** Which names the frames of a stack lack. */
void missing_add(struct missing *m, const struct view *v);
/** Memory, and the engine's gaps; last, for these turn up while looking. */
void missing_finish(struct missing *m, struct insp *i);
bool missing_functions(const struct namelessness *m);
/** Code without a line here and there (_start) is no missing debug file. */
bool missing_lines(const struct namelessness *m);
/** The same for people: what, of what, why, and how it is mended. */
struct lack {
	const char *what, *of, *why, *mend;     /* NULL = nothing to say */
};
#define LACKS_MAX 64u
/** At most LACKS_MAX of short texts; the last one counts those beyond. */
struct err *missing_list(const struct missing *m, struct insp *i,
			 struct arena *a, const struct lack **out, size_t *n)
	_must_check_;

/* ---- in what two targets differ, beside what inspect tells: differ.c ---- */
/** Two snapshots, of one process or of two. */
struct differing {
	struct insp *insp[2];
	struct values *values[2];
};
/** A variable that has another value. Text as a debugger shows it. */
struct difference {
	uint64_t tid;
	uint32_t depth;         /* of its frame in the second */
	const char *function, *name, *before, *after;
};
typedef struct err *difference_fn(void *arg, const struct difference *v);
/** Of frames that are the same call in @thread of the second, and in the
 * thread of that number in the first. */
struct err *differ_variables(const struct differing *d, size_t thread,
			     difference_fn *fn, void *arg) _must_check_;
/** The stacks of @thread of the second, and of the first's. */
struct stack_difference {
	bool differs;
	struct view view[2];    /* some hundred frames of each at most */
	size_t common;          /* of the outermost frames */
};
struct err *differ_stacks(const struct differing *d, size_t thread,
			  struct arena *a, struct stack_difference *out)
	_must_check_;

#endif
