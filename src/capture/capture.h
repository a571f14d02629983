/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture: takes pictures of processes, and writes down what was seen.
 *
 * A picture is a target like any other: what was copied of a process while it
 * stood still. It parses nothing but the kernel's texts; all else happens
 * afterwards, in the jail, while the process runs again.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "base/base.h"
#include "inspect/inspect.h"
#include "snapfmt/snapfmt.h"

/* ---- live processes ---------------------------------------------------- */
/** Which private memory: the stacks of all threads are in each of them. */
enum capture_memory {
	CAPTURE_REACHABLE,      /* all where it fits into the budget, else what
				   registers, stacks and globals lead to */
	CAPTURE_FULL,           /* all of it */
	CAPTURE_STACKS,         /* stacks, registers, modules alone */
};
/** Zero means the default in parentheses. */
struct capture_limits {
	uint64_t copy;          /* bytes copied while stopped (150 MiB; for
				   CAPTURE_FULL half of the memory there is) */
	uint64_t pause_ns;      /* copying ends by then (no bound): what is
				   not copied is absent for want of time. It
				   has a quarter of it at the least, and 16
				   KiB of each stack are always copied */
	uint64_t stack;         /* of one thread's stack that are copied
				   before all other memory (1 MiB) */
	unsigned stop_ms;       /* until all threads stand still (2000): what
				   does not is left running and said */
	enum capture_memory memory;
};
/** What its caller has to do meanwhile: there is a processor to spare. */
struct capture_meanwhile {
	/** Once, in the caller's thread: @maps as they were while the process
	 * ran, borrowed for the call. */
	void (*maps)(void *arg, const struct snap_map *maps, size_t n);
	void *arg;
};

/**
 * A picture of a running process. Stops all its threads at once (PTRACE_SEIZE,
 * PTRACE_INTERRUPT), copies, lets go; then the process is as it was before,
 * also when this fails or is killed. A process that was stopped by a signal
 * stays so. ERR_NOTFOUND: no such process; ERR_DENIED: not permitted, or
 * traced already (names the tracer), and what to do. @meanwhile may be NULL.
 * The picture is private to its owner; its memory is shared with children that are forked later.
 */
struct err *capture_process(pid_t pid, const struct capture_limits *limits,
			    const struct capture_meanwhile *meanwhile,
			    struct target **out) _must_check_;
/** How long the process of a picture stood still; 0 = unknown. */
uint64_t capture_pause_ns(const struct target *picture);

/**
 * Run @argv and all that it starts, and take a picture of each process that
 * is about to die of a signal that dumps core. Signals pass unchanged.
 * @died runs in a process of its own, forked for it, and takes the picture;
 * what it returns is that process's exit status; what stdio holds is not
 * flushed there. Returns when the command has ended, and every @died too:
 * *@status is the command's wait status. What is left of its descendants then
 * runs on untraced. ERR_NOTFOUND, ERR_DENIED: @argv cannot be run. Every child
 * of the caller is waited for meanwhile; a set-user-ID program gains nothing
 * under it, and a debugger or LeakSanitizer cannot trace what it traces.
 */
struct capture_command {
	char *const *argv;              /* NULL ends */
	const struct capture_limits *limits;
	int (*died)(void *arg, struct target *picture);
	void *arg;
};
struct captured {
	int status;                     /* of the command, as of waitpid() */
	unsigned pictures;              /* that were taken */
	unsigned failed;                /* @died that ended with non-zero, or
					   pictures that could not be taken */
	struct err *trouble;            /* why the latest of these could not
					   be, or NULL; the caller frees */
};
struct err *capture_run(const struct capture_command *c, struct captured *out)
	_must_check_;

/* ---- writing down ------------------------------------------------------ */
/** Called as memory is written, for a progress bar; may be NULL. */
typedef void capture_progress_fn(void *arg, uint64_t done, uint64_t total);

struct capture_options {
	const char *source;             /* "elf-core", … for the provenance */
	const char *source_name;
	const char *const *attributes;  /* "key=value", borrowed; n_attributes */
	size_t n_attributes;
	uint64_t pause_ns;              /* how long the process stood still */
	enum capture_memory memory;     /* of a picture: which is kept */
	uint64_t budget;                /* bytes of it that are kept, for
					   CAPTURE_REACHABLE (64 MiB) */
	/** Names or globs of variables, thread-local ones too, whose bytes
	 * are kept whatever the budget. */
	const char *const *globals;
	size_t n_globals;
	const struct snap_blob *files;  /* attached as they are */
	size_t n_files;
	bool sources;                   /* of the first thread's frames are
					   attached, as far as supply has any */
	/** "env:NAME", "regex:EXPRESSION", "symbol:NAME": what they match is
	 * zeroed before it is written, and said. */
	const char *const *redact;
	size_t n_redact;
	uint64_t series, series_index;  /* for the provenance; 0 = none */
	capture_progress_fn *progress;
	void *progress_arg;
	/** The skeleton of a module, packed (snapfmt/soon.h), and the size of
	 * the file it is of; n = 0: it must be made. NULL: all must. */
	struct span (*skeleton)(void *arg, const struct snap_module *m,
				uint64_t *file_size);
	/** Windows of a module's constants, packed, as snap_pack_moved() has
	 * them, mapped from a file: pages that were looked at are given back.
	 * n = 0: there are none at hand. NULL: never. */
	struct span (*constants)(void *arg, const struct snap_module *m);
	void *skeleton_arg;             /* of both */
};

/** What was written. */
struct capture_counts {
	uint64_t threads, frames, modules;
	uint64_t memory;                /* bytes captured */
	uint64_t absent;                /* bytes mapped, but not kept */
};

/**
 * Write everything that @i knows as a snapshot: memory (pages of code equal to
 * their module's file as references), text around the frames, skeletons of the
 * modules, threads, maps, modules, resolved frames of all threads, texts,
 * attributes, notes, and as notes what is missing. Memory that cannot be read
 * becomes an absent range and a note. An attribute of @options replaces one
 * that the target has under the same key. What a client wrote into the
 * session's overlay is not written down.
 */
struct err *capture_save(struct insp *i, const struct capture_options *options,
			 snap_sink_fn *sink, void *arg,
			 struct capture_counts *out) _must_check_;

/**
 * Frames and variables of the thread that died, as a snapshot that has nothing
 * else: for one that was written before there were symbol indexes.
 * ERR_NOTFOUND: none died, or no index has variables of it.
 */
struct err *capture_variables(struct insp *i, snap_sink_fn *sink, void *arg)
	_must_check_;

/**
 * Write it as an ELF core that stock debuggers read: notes of all threads
 * whose registers are known, and memory that is there. What was not captured
 * has no segment, because gdb shows zeros for one without bytes; only read-only
 * mappings of files have one, as debuggers look into the file first. @out is
 * an empty regular file, written sparsely; until the end it is no core. What
 * a client wrote into the session's overlay is not written down.
 * ERR_UNSUPPORTED: not a 64-bit process of Linux.
 */
struct err *capture_core(struct insp *i, int out) _must_check_;

#endif
