/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of cmd share: the table of verbs, and how they speak.
 *
 * A verb is one file that holds one row. Help, man page and completion are
 * generated from the rows, so nothing about a verb is written twice. Texts in
 * rows are ASCII: they go through roff and through terminals of any locale.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/base.h"

#define PROGRAM "inquest"

/* ---- the table of verbs: verbs.c ---- */
struct example {
	const char *command, *text;     /* @command NULL ends */
};
struct exit_row {
	int status;
	const char *text;               /* NULL ends */
};
struct verb {
	const char *name;
	const char *operands;           /* "SNAP [ARG...]", or "" */
	int min, max;                   /* operands; @max -1 = any number */
	bool passes_args;               /* words after the first operand are
					   those of another program */
	const char *summary;            /* one line, no full stop */
	bool seldom;                    /* by name only on the first screen */
	const char *text;               /* for the man page: see page.h */
	const struct opt *options;      /* NULL = none but --help */
	const struct opt *others;       /* more of them, which only the manual
					   has: of other programs; or NULL */
	const struct example *examples;
	const struct exit_row *exits;
	/** The words from the verb's name on. An error ends the program. */
	struct err *(*run)(const struct verb *v, int argc, char **argv,
			   int *status);
};
extern const struct verb verb_capture, verb_import, verb_export, verb_report,
	verb_disasm, verb_gdb, verb_lldb, verb_rsp, verb_dap, verb_put, verb_get,
	verb_list, verb_rm, verb_tag, verb_token, verb_store, verb_serve,
	verb_check, verb_dump, verb_index, verb_diff, verb_print, verb_doctor,
	verb_help;
/** All verbs in the order of help; NULL ends. */
extern const struct verb *const verbs[];
const struct verb *verb_find(const char *name);
/** The verb that a mistyped name most likely meant, or NULL. */
const struct verb *verb_near(const char *name);
/** The words of @argv that are this verb's own; the rest it passes on. */
int verb_head(const struct verb *v, int argc, char **argv);

struct operands {
	char **item;                    /* borrowed from argv */
	size_t n;
};
/** Read options and operands as the row of @v describes them. */
struct err *verb_parse(const struct verb *v, int argc, char **argv,
		       void *options, struct operands *out) _must_check_;

/* ---- speaking: say.c ---- */
/** One line on stderr, "inquest: …"; needs no stdio, so it works jailed. */
void say(const char *fmt, ...) _printf_(1, 2);
/**
 * Results to stdout. A reader that went away (as `head` does) has all it
 * wanted: that is no error.
 */
struct err *say_result(const struct buf *b) _must_check_;
/** The same to where results go instead. */
struct err *say_result_to(int fd, const struct buf *b) _must_check_;
/** Is @fd a terminal that wants colour? Asks the environment: not jailed. */
bool say_colour(int fd);
/** @word as a shell reads it back; quoted only where it must be. */
void say_quoted(struct buf *b, const char *word);
/** Why memory was not captured (enum snap_reason), for a person. */
const char *say_reason(unsigned reason);
/** The object every JSON result begins with: what it is and its version. */
struct json;
struct json *say_json(const char *verb);
/** The value of an attribute. */
struct snap_attr;
struct json *say_attr(const struct snap_attr *a);

#endif
