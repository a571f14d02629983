/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complete.c: completion of verbs and options for bash, zsh and fish.
 */
#include <string.h>

#include "cmd/page.h"

static void
complete_verb_names(struct buf *b)
{
	for (size_t i = 0; verbs[i]; i++)
		buf_printf(b, "%s%s", i ? " " : "", verbs[i]->name);
}

/* The long options of a verb, and the short ones, divided by spaces. */
static void
complete_options(struct buf *b, const struct verb *v)
{
	for (const struct opt *o = v->options; o && o->name; o++) {
		buf_printf(b, "--%s ", o->name);
		if (o->letter)
			buf_printf(b, "-%c ", o->letter);
	}
	buf_puts(b, "--help -h");
}

static void
complete_bash(struct buf *b)
{
	buf_puts(b, "# bash completion for " PROGRAM "\n_" PROGRAM "()\n{\n"
		 "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
		 "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
		 "\t\twords='");
	complete_verb_names(b);
	buf_puts(b, " --help --version'\n"
		 "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		 "\t\treturn\n\tfi\n"
		 "\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; verbs[i]; i++) {
		buf_printf(b, "\t%s) words='", verbs[i]->name);
		complete_options(b, verbs[i]);
		if (verbs[i] == &verb_help) {
			buf_putc(b, ' ');
			complete_verb_names(b);
		}
		buf_puts(b, "' ;;\n");
	}
	buf_puts(b, "\tesac\n"
		 "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		 "\tcase $cur in\n"
		 "\t-*) ;;\n"
		 "\t*) COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n"
		 "\tesac\n}\n"
		 "complete -o filenames -F _" PROGRAM " " PROGRAM "\n");
}

/* Text between single quotes that zsh's _arguments reads. */
static void
complete_zsh_text(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_puts(b, "'\\''");
		else if (strchr("[]:\\", *text))
			buf_printf(b, "\\%c", *text);
		else
			buf_putc(b, *text);
	}
}

static void
complete_zsh_option(struct buf *b, const struct opt *o)
{
	const char *again = o->type == OPT_LIST ? "*" : "";

	buf_printf(b, "\t\t\t'%s--%s%s[", again, o->name, o->arg ? "=" : "");
	complete_zsh_text(b, o->help);
	buf_printf(b, "]%s' \\\n", o->arg ? ":value:_files" : "");
	if (!o->letter)
		return;
	buf_printf(b, "\t\t\t'%s-%c%s[", again, o->letter, o->arg ? "+" : "");
	complete_zsh_text(b, o->help);
	buf_printf(b, "]%s' \\\n", o->arg ? ":value:_files" : "");
}

static void
complete_zsh(struct buf *b)
{
	buf_puts(b, "#compdef " PROGRAM "\n_" PROGRAM "()\n{\n"
		 "\tlocal -a list\n\tlist=(\n");
	for (size_t i = 0; verbs[i]; i++) {
		buf_printf(b, "\t\t'%s:", verbs[i]->name);
		complete_zsh_text(b, verbs[i]->summary);
		buf_puts(b, "'\n");
	}
	buf_puts(b, "\t\t'--help:show the verbs'\n"
		 "\t\t'--version:show the version'\n\t)\n"
		 "\tif (( CURRENT == 2 )); then\n"
		 "\t\t_describe verb list\n\t\treturn\n\tfi\n"
		 "\tshift words\n\t(( CURRENT-- ))\n"
		 "\tcase $words[1] in\n");
	for (size_t i = 0; verbs[i]; i++) {
		buf_printf(b, "\t%s)\n\t\t_arguments \\\n", verbs[i]->name);
		for (const struct opt *o = verbs[i]->options; o && o->name; o++)
			complete_zsh_option(b, o);
		buf_puts(b, "\t\t\t'(- *)'{-h,--help}'[show the help screen]' "
			 "\\\n\t\t\t'*:file:_files' ;;\n");
	}
	buf_puts(b, "\tesac\n}\n_" PROGRAM " \"$@\"\n");
}

/* Text between single quotes for fish, where \' and \\ are escapes. */
static void
complete_fish_text(struct buf *b, const char *text)
{
	buf_putc(b, '\'');
	for (; *text; text++) {
		if (strchr("'\\", *text))
			buf_putc(b, '\\');
		buf_putc(b, *text);
	}
	buf_puts(b, "'\n");
}

static void
complete_fish_option(struct buf *b, const struct verb *v, const struct opt *o)
{
	buf_printf(b, "complete -c " PROGRAM
		   " -n '__fish_seen_subcommand_from %s' -l %s",
		   v->name, o->name);
	if (o->letter)
		buf_printf(b, " -s %c", o->letter);
	buf_puts(b, o->arg ? " -r -d " : " -d ");
	complete_fish_text(b, o->help);
}

static void
complete_fish(struct buf *b)
{
	buf_puts(b, "# fish completion for " PROGRAM "\n"
		 "complete -c " PROGRAM " -n __fish_use_subcommand -l help "
		 "-d 'show the verbs'\n"
		 "complete -c " PROGRAM " -n __fish_use_subcommand -l version "
		 "-d 'show the version'\n");
	for (size_t i = 0; verbs[i]; i++) {
		buf_printf(b, "complete -c " PROGRAM " -n "
			   "__fish_use_subcommand -f -a %s -d ",
			   verbs[i]->name);
		complete_fish_text(b, verbs[i]->summary);
		for (const struct opt *o = verbs[i]->options; o && o->name; o++)
			complete_fish_option(b, verbs[i], o);
		buf_printf(b, "complete -c " PROGRAM
			   " -n '__fish_seen_subcommand_from %s' -l help "
			   "-s h -d 'show the help screen'\n", verbs[i]->name);
	}
}

bool
complete_shell(struct buf *b, const char *shell)
{
	static const struct {
		const char *name;
		void (*write)(struct buf *b);
	} shells[] = {
		{ "bash", complete_bash },
		{ "zsh", complete_zsh },
		{ "fish", complete_fish },
	};

	for (size_t i = 0; i < countof(shells); i++) {
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].write(b);
			return true;
		}
	}
	return false;
}
