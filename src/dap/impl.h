/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of dap share among themselves and nobody else sees.
 */
#ifndef DAP_IMPL_H
#define DAP_IMPL_H

#include "analysis/analysis.h"
#include "base/json.h"
#include "dap/dap.h"

/* ---- requests --------------------------------------------------------------- */
struct dap;
/**
 * Answers a request: *@body, if it is set, becomes the body of the response. An
 * error becomes an error response; d->wrong may name it for programs.
 */
typedef struct err *request_fn(struct dap *d, const struct json *arguments,
			       struct json **body);
enum request_flags {
	REQUEST_FIRST = 1,      /* even before "initialize" */
	REQUEST_EARLY = 2,      /* before "attach" */
};
struct request {
	const char *command;
	request_fn *answer;
	/** What "initialize" says of it; NULL = nothing. */
	const char *capability;
	uint8_t flags;
	/** What follows a response of success; or NULL. */
	void (*after)(struct dap *d);
};
/** By name, or NULL. */
const struct request *requests_find(const char *command);
/** All capabilities, and the list of our own requests, into @body. */
void requests_put_capabilities(struct json *body);

/* ---- a session ----------------------------------------------------------------- */
/** A row of a stack that a client was told of. */
struct place {
	size_t thread;          /* of the target */
	size_t frame;           /* of its view */
};
/** The stack of one thread; in the arena of the stop. */
struct stack_shown {
	struct view view;
	const struct scope *const *scopes;      /* one for each frame; an
						   element may be NULL */
	size_t first;           /* of frame 0, in d->frames */
	struct stack *regs;     /* as unwound, on first use; stack_regs() */
	int64_t id;             /* of the thread */
	bool made;
};
/** What a client calls a thread: its tid, where that is usable and unique. */
struct thread_id {
	int64_t id;
	size_t thread;
};
/** Of paths that are sent, those that begin with @from begin with @to. */
struct source_map {
	const char *from, *to;
};
/** A long request that is under way. */
struct work {
	int64_t request_seq;
	const char *command;
	/** A piece of it, of a few ms; *@body set = it is done. */
	struct err *(*piece)(struct dap *d, struct work *w, struct json **body);
	/** However it ends; before @arena goes. NULL = nothing. */
	void (*end)(struct dap *d, struct work *w);
	void *state;
	struct arena *arena;    /* owns all of it */
	const char *title;      /* of a progress; or NULL */
	const char *progress;   /* id of one that was begun, or NULL */
	uint64_t done, all;     /* for the progress */
	unsigned told;          /* of it, per cent */
	unsigned pieces;
	bool cancelled;
	bool waits;             /* for dap_answer(): no piece is made */
};

struct dap {
	struct dap_options options;
	struct dap_shown shown; /* insp NULL: nothing is open */
	const struct dap_sink *sink;    /* of the call under way */
	int64_t seq;            /* of the last message sent */
	int64_t request_seq;    /* of the request under way */
	const char *wrong;      /* "message" of the error response under way */
	struct err *err;        /* of the sink, or memory: the session ends */
	bool done;
	struct arena *arena;    /* of the session */

	/* what the client said of itself */
	bool initialised, attached, configured, stopped_told;
	bool lines_from_0, columns_from_0, paths_are_uris;
	bool shows_words;       /* "message" of an error, to people */
	bool hears_progress, hears_invalidated, hears_memory, hears_selected;
	struct source_map *maps;        /* of "attach"; longest @from first */
	size_t n_maps;

	/* what lives until another snapshot is shown, in an arena made on first
	 * use; ids of one behind those of the ones before */
	struct arena *lasting;
	struct sources *sources;        /* sourceReference; sources.c */
	struct locations *locations;    /* locationReference; locations.c */
	int64_t sources_before, locations_before;
	uint8_t *modules_listed;        /* by module: with symbols not read yet */
	size_t modules_expected;        /* how many of those there are */

	/* what lives until the next stop: ids a client was given; all that is
	 * in @stop has to be forgotten by session_end_stop() */
	struct arena *stop;
	struct thread_id *ids;  /* of threads, sorted by id */
	struct stack_shown *stacks;     /* one for each thread */
	struct vec frames;      /* of struct place, by frameId - 1 … */
	size_t frames_before;   /* … - this: frames of stops before */
	size_t made_up_before;  /* likewise ids of threads that are made up */
	size_t thread;          /* chosen; the faulting one at first */
	struct cause *cause;    /* on first use; exception_cause() */
	bool cause_explained;
	struct alike *alike;    /* as far as it is known; alike_ask() */
	size_t gaps_told;       /* sentences of the engine's; news.c */
	bool names_told;
	struct refs *refs;      /* variablesReference; refs.c */
	int32_t last_ref;       /* ids are given once in a session */
	struct {
		uint64_t addr, n;
		bool registers;
	} written;              /* by the request under way */

	struct moments *moments;        /* of a series; moves.c */
	struct work *work;      /* NULL = none */
	/* progress ids count from 1 */
	uint64_t progresses;
};

/* ---- messages ----------------------------------------------------------------- */
/** Sends an event; takes @body, which may be NULL. */
void dap_event(struct dap *d, const char *event, struct json *body);
/** Sends the answer to @request_seq; takes @err and @body. */
void dap_respond(struct dap *d, int64_t request_seq, const char *command,
		 struct err *err, struct json *body);
/** A refusal: "postMortem", … for programs, a sentence for people. */
struct err *dap_refuse(struct dap *d, const char *message, const char *fmt, ...)
	_printf_(3, 4) _must_check_ _returns_nonnull_;

/** Begins a long request: the one under way answers when it is done. Takes
 * @like->arena once it succeeds; ERR_LIMIT while another one is under way. */
struct err *dap_begin_work(struct dap *d, const struct work *like)
	_must_check_;
/** Ends it with an answer; takes @err and @body. */
void dap_end_work(struct dap *d, struct err *err, struct json *body);
/** The same of one that is under way, if any, as if it was cancelled. */
void dap_cancel_work(struct dap *d, const char *why);

/** How far it is, to who hears it. work.c */
void work_tell(struct dap *d, struct work *w);
void work_tell_end(struct dap *d, const struct work *w);

/* args.c: ERR_USAGE names the argument that is off */
struct arg_bounds {
	int64_t min, max, otherwise;
};
/** A whole number within @bounds; @otherwise where there is none. */
struct err *arg_number(const struct json *arguments, const char *name,
		       const struct arg_bounds *bounds, int64_t *out)
	_must_check_;
/** NULL where there is none and it is not @needed. */
struct err *arg_string(const struct json *arguments, const char *name,
		       bool needed, const char **out) _must_check_;
/** "0x…" or decimal; needed. */
struct err *arg_address(const struct json *arguments, const char *name,
			uint64_t *out) _must_check_;

/* session.c */
/** Lets go of all ids, and begins anew with what is shown. */
struct err *session_begin_stop(struct dap *d) _must_check_;
void session_end_stop(struct dap *d);
void session_close(struct dap *d);
/** The arena of what is shown, or NULL: memory is spent. */
struct arena *session_lasting(struct dap *d);
/** Tells "stopped", once it is time. */
void session_after_attach(struct dap *d);
/** "stopped", of the chosen thread. Takes @description. */
void session_tell_stopped(struct dap *d, const char *reason,
			  struct json *description);
/** "memory" and "invalidated", to who hears them. */
void session_tell_written(struct dap *d, uint64_t addr, uint64_t n);
/** This client's person looks at a thread: others of the session see it. */
void session_look_at(struct dap *d, size_t thread);
/** Who looks at which one, and an event of it; NULL: nobody chose one. */
struct json *session_selected(struct dap *d);
void session_tell_looked(struct dap *d);
/** When the snapshot was taken: "2026-01-31 23:59:59 UTC", or "the past". */
const char *session_when(const struct dap *d, char out[32]);
/** The same of any time. */
const char *session_time(uint64_t ns, char out[32]);
/** ERR_DENIED for a path, or an URL, from another machine. */
struct err *session_check_name(const struct dap *d, const char *snapshot)
	_must_check_;
/** "output": @category "console", "important", …; @text ends with a newline. */
void session_output(struct dap *d, const char *category, const char *text);

/* stack.c: threads, frames */
struct err *stack_begin(struct dap *d) _must_check_;
/** Another snapshot comes: ids of threads that were made up are not those of
 * its threads. */
void stack_forget_ids(struct dap *d);
/** The stack of @thread, made on first use. */
struct err *stack_of(struct dap *d, size_t thread, struct stack_shown **out)
	_must_check_;
/** What a frameId means; ERR_NOTFOUND for one that was not given out. */
struct err *stack_place(struct dap *d, int64_t frame_id, struct place *out)
	_must_check_;
/** What a frame is called: 1 to 2^26. */
int64_t stack_frame_id(const struct dap *d, struct place at);
/** Registers are other ones: all stacks anew. Where all of them have the same
 * frames, those keep their ids. */
struct err *stack_make_again(struct dap *d, bool *same) _must_check_;
/** The scope of a place, or NULL. */
const struct scope *stack_scope(struct dap *d, struct place at);
/** Its registers, as the frame has them. */
struct err *stack_regs(struct dap *d, struct place at, struct frame_regs *out)
	_must_check_;
/** A StackFrame. */
struct err *stack_frame(struct dap *d, struct place at, struct json **out)
	_must_check_;
/** What the client calls a thread. */
int64_t stack_thread_id(const struct dap *d, size_t thread);
/** "crash [14533] SIGSEGV" */
struct json *stack_thread_name(const struct dap *d, size_t thread);
/** A function, or where it is; any frame of what @i inspects. */
struct json *stack_frame_name(struct insp *i, const struct snap_frame *f);
/** The thread that a client calls so; false: there is none. */
bool stack_find_id(const struct dap *d, int64_t id, size_t *out);
/** A thread's index by the "threadId" in @arguments. */
struct err *stack_thread(struct dap *d, const struct json *arguments,
			 size_t *out) _must_check_;

/* console.c */
struct evaluation;
/** Have the host look at what we could not: takes @why, which is the answer
 * where nobody can. */
struct err *console_ask(struct dap *d, const char *text,
			const struct evaluation *at, struct err *why)
	_must_check_;
/** The work under way was one of these, and is cancelled. */
void console_forget(struct dap *d);

/* refs.c: what a variablesReference means */
void refs_free(struct refs *r);
/** The Scope objects of a frame. */
struct err *refs_scopes(struct dap *d, struct place at, struct json **out)
	_must_check_;
/** A Variable, or what "evaluate" answers, of @value. */
struct err *refs_variable(struct dap *d, const char *name,
			  const struct value *value, struct place at,
			  struct json **out) _must_check_;

/* folded.c: what repeats in a stack as one row */
struct rows_asked {
	uint64_t first, count;
};
bool folded_is_asked(const struct json *arguments);
/** "stackFrames" and "totalFrames" of a stack that is made already. */
struct err *folded_rows(struct dap *d, size_t thread,
			const struct rows_asked *q, struct json *body)
	_must_check_;
bool folded_is_label(struct dap *d, int64_t id);

/* exception.c: why the process died */
struct err *exception_cause(struct dap *d, const struct cause **out)
	_must_check_;
/** "null-deref: READ of 0x0, …"; nothing where no signal was. */
void exception_put_text(struct dap *d, struct buf *out);

/* noted.c: a variablesReference to what note @nth refers to; 0: to nothing */
int32_t noted_reference(struct dap *d, size_t nth);

/* news.c */
/** "output" events: notes, what is attached, what is missing. */
void news_tell(struct dap *d);
/** The same of another snapshot. */
void news_begin(struct dap *d);
/** Once the first stack is known: whose names it lacks. To look at it before
 * "stopped" would keep people waiting. */
void news_after_stack(struct dap *d);

/* moves.c: snapshots of a series */
void moves_free(struct moments *m);
/** Is there a series? Then the client is told that it can go back. */
void moves_begin(struct dap *d);
/** After the answer to a move: what came and went, and "stopped". */
void moves_arrive(struct dap *d);

/* alike.c: threads that do the same */
struct cpu_time {
	uint64_t ms;
	bool known;
};
struct alike {
	struct arena *arena;    /* owns all of it */
	struct groups groups;
	struct view *views;     /* the start of each group's stack */
	size_t named;           /* how many of them there are */
	struct cpu_time *cpu;   /* of each thread */
	struct missing missing;
	bool made;              /* else it goes on, piece by piece */
};
typedef struct err *alike_tell_fn(struct dap *d, const struct alike *a,
				  struct json **body);
/** Answers request @command by @tell, once all of it is known: at once, or by
 * a work that @tell ends. */
struct err *alike_ask(struct dap *d, const char *command, alike_tell_fn *tell,
		      struct json **body) _must_check_;
void alike_forget(struct dap *d);
/** Names of the innermost frames of a group. */
struct json *alike_top(struct dap *d, const struct alike *a, size_t group,
		       size_t max);

/* sources.c: what a sourceReference means */
/** A Source of @file, which a module's lines name; json_null() of NULL. */
struct json *sources_source(struct dap *d, size_t module, const char *file);
/** A module's id for clients: its build-id, or a number. modules.c */
struct json *modules_id(struct dap *d, size_t module);
/** Which rows of a list of @n "start" and "count" ask for: [start, end). Where
 * @bytes are PAGE_BYTES_MAX a reply ends early. */
struct page {
	size_t start, end, n;
	size_t bytes;           /* of texts in it */
};
#define PAGE_BYTES_MAX (1u << 20)
/** A string in a row, cut where it is very long. */
struct json *page_text(struct page *p, const char *text);
struct err *page_of(const struct json *arguments, size_t n, struct page *out)
	_must_check_;
/** A reply: @list under @name, and how many rows there are. */
struct json *page_body(const char *name, struct json *list,
		       const struct page *p);
/** A number, or as text where JavaScript would round it. */
struct json *json_integer(uint64_t magnitude, bool negative);
/** At most @max bytes of it, and "…" where that is not all. */
struct json *json_short(const char *text, size_t max);
/** A string on one line, and one that keeps its lines. page.c */
struct json *json_of_span(struct span text), *json_of_text(struct span text);
/** A range, as "inquest/maps" has it. maps.c */
struct map_names;
struct map_piece;
struct json *maps_range(const struct map_names *names,
			const struct map_piece *p);
/** "libc.so.6+0x1d2c60 <environ>", "[stack]", or nothing. describe.c */
void describe_put_place(struct dap *d, const struct map_names *names,
			uint64_t address, struct buf *out);
/** With all but letters, digits and what is in @plain as %XX (RFC 3986). */
void text_put_uri(struct buf *out, const char *text, const char *plain);
/** What is missing, of what, why, and what mends it. facts.c */
struct missing;
struct err *facts_lacks(struct dap *d, const struct missing *m,
			struct arena *a, struct json **out) _must_check_;
/** A locationReference of a place in a source; 0: none is left. locations.c */
struct source_place {
	size_t module;
	const char *file;
	uint32_t line, column;  /* @column 0 = not known */
};
int32_t locations_add(struct dap *d, const struct source_place *place);
/** What is shown goes, and with it what they point to. */
void sources_forget(struct dap *d), locations_forget(struct dap *d);
/** A Module. */
struct json *modules_json(struct dap *d, size_t module);
/** Those that were listed, and whose symbols were read since: events. */
void modules_tell(struct dap *d);
void modules_forget(struct dap *d);
/** What more there is in a module than clients expect. */
void modules_put_columns(struct json *body);
/** A line and a column as this client counts them; 0 = not known. */
int64_t sources_line(const struct dap *d, uint32_t line);
int64_t sources_column(struct dap *d, const struct source_place *at);
/** @column of a line of @text, in UTF-16; *@how, 0 at first, remembers what
 * kind of text it is. columns.c */
uint32_t columns_units(struct source *text, uint8_t *how, uint32_t line,
		       uint32_t column);

/* handlers, by file, in the order of the table in requests.c */
request_fn session_initialize, session_attach, session_launch,
	session_configured, session_disconnect, session_cancel,
	session_breakpoints, session_exception_breakpoints,
	session_refuse_to_run;
request_fn stack_threads, stack_trace, stack_scopes;
request_fn variables_answer, evaluate_answer, write_variable,
	write_expression, complete_answer, memory_answer_read,
	memory_answer_write;
request_fn disassemble_answer, modules_answer, sources_answer, sources_loaded,
	locations_answer;
request_fn exception_info, alike_answer, overview_answer;
request_fn diff_answer, moves_next, moves_back, moves_continue, moves_answer;
request_fn maps_answer, facts_attributes, facts_notes, facts_annotations;
request_fn describe_answer, search_answer, link_answer, export_answer;
request_fn around_kernel_stack, around_fds, around_environment;
/** Tells who hears of it what a request wrote. */
void write_tell(struct dap *d);
/** The same of a register, whoever wrote it. */
void write_tell_registers(struct dap *d);

#endif
