/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of gdbstub share among themselves and nobody else sees.
 */
#ifndef GDBSTUB_IMPL_H
#define GDBSTUB_IMPL_H

#include "gdbstub/args.h"
#include "gdbstub/framing.h"
#include "gdbstub/gdbstub.h"

enum dialect { DIALECT_GDB, DIALECT_LLDB };

/** What a client reads in pieces is rendered once. */
struct document {
	struct buf text;
	bool rendered;
};

struct wire_tid {
	uint64_t tid;
	size_t thread;
};
/** A snapshot that is open in this session, and what was written over it. */
struct shown {
	uint64_t number;        /* the host's; 0 = there is no host */
	struct insp *insp;      /* borrowed; NULL while nobody uses it */
	const char *title;      /* borrowed; not NULL */
	struct overlay *overlay;        /* owned, but for options.overlay's */
	unsigned users;         /* inferiors and open files */
};
/** The snapshots of one process over time; see timeline.c. */
struct timeline {
	struct arena *arena;    /* owns all below; NULL = not asked for yet */
	const struct stub_offer *moments;
	size_t n, at, jump;     /* @jump: where to go next; or INSP_NONE */
	bool told;              /* of other libraries; the stop comes next */
	/* lldb: the last resume did not find another one; was a step */
	bool ended, stepped;
	uint64_t watched;       /* what differs there; or INSP_NONE */
};

/**
 * A process as the client sees it. Ids on the wire are those of the target
 * where they are usable and unique, else made up: a damaged core may name a
 * thread twice. A host numbers its snapshots itself, because two of them may
 * be of the same pid; files of /proc then still tell the process's own.
 */
struct inferior {
	struct shown *shown;
	struct insp *insp;      /* its */
	const char *title;      /* its */
	struct timeline line;
	uint64_t pid;           /* on the wire */
	uint64_t number;        /* the host's, of the one it began with */
	uint64_t own_pid;       /* in files of /proc */
	bool attached;
	uint64_t *tids;         /* of thread n */
	struct wire_tid *by_tid;
	size_t n_threads;
	size_t stopped;         /* whom the last stop was told of */
	struct document features, libraries, auxv;
	struct buf exe;         /* path of the executable, escaped; may be "" */
};

/** An open file of the virtual file system; free when @source is NULL. */
struct open_file {
	struct source *source;  /* borrowed, or over @text and owned */
	struct shown *shown;    /* whom it is borrowed from; or NULL */
	struct buf text;
	bool owned;
	uint64_t device, inode;
	uint64_t next;          /* where reading on would begin */
	size_t window;          /* how much the last read was given */
};
#define OPEN_FILES_MAX 1024u    /* gdb keeps one open for each library */
#define FOREIGN_IDS_MAX 256     /* debug files of no module of ours */
#define SOURCES_MAX 2048        /* each may be looked for far away */
#define INFERIORS_MAX 64u
#define REFUSALS_MAX 3u
#define WATCHES_MAX 64u

/** Memory whose change between two snapshots is told. */
struct watch {
	char kind;              /* of the Z packet */
	uint64_t addr, n;
	size_t inferior;
};

/** A breakpoint. */
struct point {
	uint64_t addr;
	size_t inferior;
	bool set;
	bool known;             /* it stood at an earlier request to run */
};

/** What a write replaced, so that it can be put back. */
struct replaced {
	uint64_t addr, value;   /* @value: what was written */
	uint8_t n, under[8];    /* @n 0 = nothing */
	bool fresh;             /* as captured: it was not written before */
};

/** Memory that is asked for: by 'm' or 'x'. */
struct reading {
	char kind;
	uint64_t addr, n;
};
/** What is expected next, and answered before it is asked; see ahead.c. */
struct ahead {
	struct reading next;
	uint64_t end;           /* of the piece before */
	uint64_t noted;         /* of packets, the one that it goes on behind */
	bool goes_on;           /* two were one behind the other */
	bool made;
	struct buf answer;      /* as it is sent, if it was made, */
	size_t put;             /* and so many bytes of memory are in it */
	unsigned in_vain;       /* were made, less what was asked for */
};

struct stub {
	struct stub_options options;
	char *title;            /* owned; behind options.title */
	struct inferior *inferiors;     /* none are ever taken away */
	size_t n_inferiors;     /* 0: a host, and nothing is open yet */
	struct shown **shown;   /* what they show, showed, or wrote to */
	size_t n_shown;

	/* a session that is not bound to one snapshot */
	bool authorised;
	unsigned refusals;

	/* the link */
	struct framing framing;
	struct buf unacked;     /* sent, and not confirmed yet */
	unsigned resends;
	bool no_ack, done;
	struct buf reply;       /* to the packet being handled */
	struct buf console;     /* text to show before it */
	struct buf room;        /* for what becomes one */
	unsigned small;         /* answers since the last large one */
	struct ahead ahead;

	/* what the client told while connecting */
	enum dialect dialect;
	bool multiprocess, error_text, extended;
	/* lldb: how it writes threads, wants stops, errors and memory */
	bool suffixes, lists_threads, error_strings, bare_bytes;

	uint64_t written;       /* bytes of all overlays, against their quota */
	/* a word written by the packet before this one: see regs.c */
	uint64_t packets, pushed, pushed_by;
	struct replaced word, trap;     /* that word; the last byte written */
	/* where memory was refused, last: see inside.c */
	uint64_t refused, refused_by;
	size_t refused_inferior;

	/* what requests refer to */
	size_t inferior, thread;        /* chosen by Hg */
	size_t files_inferior;          /* chosen by vFile:setfs */
	struct open_file *files;        /* n_files slots; one without a source
					   is free */
	size_t n_files;
	unsigned foreign_ids, sources;
	size_t resumed;         /* chosen by Hc; INSP_NONE = none */
	bool resumed_all;       /* all threads, by the packet at hand */
	bool stepping;          /* the request to run is a step */
	bool pc_written;        /* since the request before it */
	struct watch *watches;  /* WATCHES_MAX of them, once there is one */
	size_t n_watches;
	struct point *points;   /* likewise */
	size_t n_points;
	size_t listed;          /* threads told since qfThreadInfo */
	struct {
		size_t inferior, thread, asked;
		bool told;      /* by gdb itself, behind each command */
	} choice;               /* of T, of which there were so many */

	struct document threads;        /* of what is attached */
	struct buf osdata;
};

/**
 * Answers a packet: puts the reply into s->reply (nothing = unsupported) or
 * fails, which is told to the client as an error reply.
 */
typedef struct err *packet_fn(struct stub *s, const struct args *a);

/** "monitor VERB ARGUMENT": what is shown goes to @out. */
typedef struct err *verb_fn(struct stub *s, const char *argument,
			    struct buf *out);

/* packets.c: find the row of a packet and run it */
void packets_run(struct stub *s, char *packet, size_t n);

/* stub.c */
/** Takes one use of @shown. Of @pid on the wire; 0 = the process's own, or
 * where another one has it the number. Not attached yet. */
struct err *stub_add(struct stub *s, struct shown *shown, uint64_t pid)
	_must_check_;
/** The chosen one; only where there is any. */
struct inferior *stub_inferior(const struct stub *s);
/** Index of the inferior with that pid on the wire, or INSP_NONE. */
size_t stub_find_pid(const struct stub *s, uint64_t pid);
/** ERR_NOTFOUND where there is no thread at all. */
struct err *stub_thread(const struct stub *s, struct inferior **f,
			size_t *thread) _must_check_;
/** Thread @n of all attached ones in a row; false behind the last. */
bool stub_nth_thread(const struct stub *s, size_t n,
		     const struct inferior **f, size_t *thread);
/** What @id names; ID_ANY and ID_ALL are the current ones where possible. */
struct err *stub_find(const struct stub *s, struct thread_id id,
		      size_t *inferior, size_t *thread) _must_check_;
void stub_ok(struct stub *s);
/** A thread id as this client writes it. */
void stub_put_thread(const struct stub *s, const struct inferior *f,
		     size_t thread, struct buf *out);

/* inferior.c */
/** @pid as for stub_add(). */
struct err *inferior_init(struct inferior *f, struct shown *shown,
			  uint64_t pid) _must_check_;
/** Its use of what it shows and its line are the caller's. */
void inferior_fini(struct inferior *f);
/** Index of the thread with that id on the wire, or INSP_NONE. */
size_t inferior_find_thread(const struct inferior *f, uint64_t tid);
/** Index of the register with that lldb-generic name, or INSP_NONE. */
size_t inferior_generic_reg(const struct inferior *f, const char *name);
/** Value of such a register; false where it is not known. */
bool inferior_reg(const struct inferior *f, size_t thread, const char *generic,
		  uint64_t *value);

/* signals.c: numbers of an operating system to gdb's (gdb/signals.def) */
int signals_gdb(uint8_t os, int signal);
/** "SIGSEGV", or NULL. */
const char *signals_name(uint8_t os, int signal);

/* shown.c: snapshots that are open in a session */
/** @number of the host's, opened if need be; one more use of it. */
struct err *shown_open(struct stub *s, uint64_t number, struct shown **out)
	_must_check_;
/** The one there is without a host. */
struct err *shown_plain(struct stub *s, struct insp *i, const char *title,
			struct shown **out) _must_check_;
struct shown *shown_again(struct shown *shown);
/** One use less; NULL is fine. */
void shown_close(struct stub *s, struct shown *shown);
void shown_fini(struct stub *s);

/* resume.c */
/** A line that a client shows its user while it waits for a resume to end. */
void resume_tell(struct stub *s, const char *text);
/** Answers that an end of what there is was reached. */
struct err *resume_stay(struct stub *s, bool back) _must_check_;

/* timeline.c: a series of snapshots as one process that can be resumed */
/** Goes on or back by one, and answers; false where there is no line. */
bool timeline_continue(struct stub *s, bool back, struct err **err) _must_check_;
/** Does a thread stand elsewhere than it was captured, to call a function or
 * to jump? */
bool timeline_displaced(const struct inferior *f);
/** Was the next moment chosen by a person? */
bool timeline_jumps(const struct stub *s);
/** Answers that nothing moves, and @why; false where there is no line. */
bool timeline_stay(struct stub *s, const char *why, struct err **err)
	_must_check_;
void timeline_fini(struct timeline *line);
/** "snapshot 2 of 3" */
void timeline_put_place(const struct timeline *line, struct buf *out);
/** What lldb shows as the reason of a stop that no signal was. */
void timeline_put_reason(const struct timeline *line, struct buf *out);
/** Number of the snapshot that is @index in the line of the chosen process. */
bool timeline_number(struct stub *s, uint64_t index, uint64_t *number);
verb_fn timeline_verb;

/* diff.c: two snapshots held against each other */
verb_fn diff_verb;

/* points.c: what breakpoints tell of a request to run */
void points_set(struct stub *s, const struct args *a);
void points_clear(struct stub *s, const struct args *a);
/** One byte was asked for alone, as gdb does where it makes a breakpoint. */
void points_looked(struct stub *s, uint64_t addr);
/**
 * Is the request to run gdb's finish, until or advance, of the chosen thread or
 * of @looked_at? Asked once in each.
 */
bool points_return(struct stub *s, size_t looked_at);

/* watch.c: what was watched before a move */
void watch_set(struct stub *s, const struct args *a);
void watch_clear(struct stub *s, const struct args *a);
/** The one that differs between two engines, or NULL. */
const struct watch *watch_changed(const struct stub *s, struct insp *before,
				  struct insp *after);

/* host.c: what a session may open */
/** ERR_DENIED, and how to come in, until the token was right. */
struct err *host_admit(const struct stub *s) _must_check_;
/** Index of the inferior of snapshot @number, opened now if it was not. */
struct err *host_open(struct stub *s, uint64_t number, size_t *inferior)
	_must_check_;
/** The rows of "info os snapshots". */
struct err *host_put_offers(struct stub *s, struct buf *out) _must_check_;
verb_fn host_verb_auth, host_verb_open;

/* overlay.c: this session's writes are what its own requests see */
void overlay_lay(const struct stub *s);
void overlay_lift(const struct stub *s);
/** Remember what @n bytes that are to be written replace; put it back. */
void overlay_before(struct stub *s, uint64_t addr, size_t n, const void *data,
		    struct replaced *out);
void overlay_undo(struct stub *s, const struct replaced *r);
/** Others, whom no gdb hears, write over it too. */
bool overlay_shared(const struct stub *s);
verb_fn overlay_verb;
verb_fn threads_verb_look;

/* ahead.c */
/** @r was answered with @put bytes. */
void ahead_note(struct stub *s, const struct reading *r, size_t put);
/** Append the answer to the packet that came, if it has been made. */
bool ahead_answer(struct stub *s, struct buf *out);
void ahead_fini(struct ahead *a);

/* memory.c */
/** Into the reply; @put bytes of memory are in it. */
struct err *memory_answer(struct stub *s, const struct reading *r, size_t *put)
	_must_check_;

/* stop.c */
enum stop { STOP_FIRST, STOP_BEGIN, STOP_END };
struct err *stop_reply(struct stub *s, enum stop kind) _must_check_;
/** Of a thread that lldb names. */
struct err *stop_of(struct stub *s, const struct inferior *f, size_t thread)
	_must_check_;
/** It stopped without a signal; @why are more pairs of a stop reply. */
struct err *stop_reply_with(struct stub *s, const char *why) _must_check_;
/** Does anything stand here that could have stopped? */
bool stop_is_there(const struct stub *s);
/** The signal a thread was stopped by; 0 for those that did not fault. */
int stop_signal(const struct inferior *f, size_t thread);

/* regs.c */
/** A register's bytes in hex, "xx" where they were not captured. */
struct err *regs_put(struct buf *out, const struct inferior *f, size_t thread,
		     size_t reg) _must_check_;
bool regs_known(const struct inferior *f, size_t thread, size_t reg);

/* the documents of qXfer, each in its file, appended to @out */
struct err *targetxml_render(const struct inferior *f, enum dialect dialect,
			     struct buf *out) _must_check_;
struct err *libraries_render(const struct inferior *f, enum dialect dialect,
			     struct buf *out) _must_check_;
struct err *threads_render(struct stub *s, struct buf *out) _must_check_;
/** An empty @name lists the tables; ERR_NOTFOUND for an unknown one. */
struct err *osdata_render(struct stub *s, struct span name, struct buf *out)
	_must_check_;
/** A column of a table. */
void osdata_put_text(struct buf *out, const char *column, const char *text);
void osdata_put_number(struct buf *out, const char *column, uint64_t number);
/** In UTC; 0 is an empty cell. */
void osdata_put_time(struct buf *out, const char *column, uint64_t ns);

/* monitor.c */
/** "0x10: not mapped (…)", and a newline. */
void monitor_put_region(struct buf *out, uint64_t addr,
			const struct region *r);

/* inside.c */
/** A read of memory failed at @addr. */
void inside_refused(struct stub *s, uint64_t addr);
verb_fn inside_verb_init, inside_verb_variables, inside_verb_why;

/* threads.c */
/** What is known of a thread, for a person: "faulting: SIGSEGV at 0x10". */
void threads_text(const struct inferior *f, size_t thread, struct buf *out);

/* proc.c: the files of /proc/PID, as captured or from the records */
struct err *proc_text(const struct inferior *f, const char *name,
		      struct buf *out) _must_check_;
/** Where the link "exe", "cwd" or "root" leads. */
struct err *proc_link(const struct inferior *f, const char *name,
		      struct buf *out) _must_check_;

/* lldb.c */
/** The number of a process as lldb is told it. */
uint64_t lldb_pid(const struct inferior *f);
/** What the machine is, as fields of a reply. */
void lldb_put_machine(struct stub *s, const struct inferior *f);
/** "x86_64-pc-linux-gnu" */
void lldb_put_triple(const struct inferior *f, struct buf *out);

/* jthreads.c */
/** A value as a reply; takes @j. */
struct json;
struct err *jthreads_put_json(struct stub *s, struct json *j) _must_check_;
/** Thread @n in the order that lldb numbers them. */
size_t jthreads_nth(const struct inferior *f, size_t n);
/** What a stop reply tells lldb of @thread and of all others. */
struct err *jthreads_put_stop(struct stub *s, const struct inferior *f,
			      size_t thread) _must_check_;

/* jmodules.c */
/** The list of libraries that lldb wants. */
void jmodules_put(const struct inferior *f, struct buf *out);

/* libraries.c */
/** The name that the program itself used, or NULL. */
const char *libraries_name(const struct snap_module *m);
/** Not the program, nor the vdso, and it has a name. */
bool libraries_is_one(const struct snap_module *m);
/** Where a module stands in a list of the dynamic linker. */
struct library {
	uint64_t link_map;
	uint64_t space;         /* the namespace; 0 = the only one */
};
void libraries_put(struct buf *out, const struct snap_module *m,
		   const char *name, const struct library *where);

/* namespaces.c */
bool namespaces_several(const struct inferior *f);
void namespaces_put(const struct inferior *f, struct buf *out);

/* maps.c */
/** Of a mapping, "[stack]" and the like too; "" if it has none. */
const char *maps_name(const struct inferior *f, const struct snap_map *m);
/** As /proc/PID/maps. */
struct err *maps_render(const struct inferior *f, struct buf *out)
	_must_check_;
/** As smaps, by what was captured: Size, Anonymous and VmFlags. */
struct err *maps_render_smaps(const struct inferior *f, struct buf *out)
	_must_check_;

/* vfile.c */
void vfile_fini(struct stub *s);

/* vfs.c */
struct err *vfs_open(struct stub *s, const char *path, struct open_file *out)
	_must_check_;
void vfs_close(struct open_file *file);
struct err *vfs_readlink(const struct stub *s, const char *path,
			 struct buf *out) _must_check_;

/* byid.c: what is found by a build-id in @path, or by a module's */
struct err *byid_open(struct stub *s, const struct inferior *f,
		      const char *path, struct open_file *out) _must_check_;

/* handlers, by file, in the order of the table in packets.c */
packet_fn connect_supported, connect_no_ack, connect_extended,
	connect_attached, connect_symbol;
packet_fn threads_select, threads_alive, threads_current, threads_first,
	threads_more, threads_extra, threads_tls;
packet_fn regs_read_all, regs_write_all, regs_read, regs_write;
packet_fn memory_read, memory_read_binary, memory_write,
	memory_write_binary, memory_breakpoint,
	memory_no_breakpoint;
packet_fn resume_why, resume_actions, resume_query, resume_forward,
	resume_back, resume_step, resume_step_back, resume_detach,
	resume_kill, resume_attach, resume_run;
packet_fn xfer_read;
packet_fn lldb_thread_suffix, lldb_list_threads, lldb_error_strings, lldb_host,
	lldb_process, lldb_region;
packet_fn platform_process, platform_first, platform_next, platform_directory;
packet_fn jthreads_all, jthreads_stop;
packet_fn jmodules_load_address, jmodules_info, jmodules_list;
packet_fn vfile_run;
packet_fn monitor_command;

#endif
