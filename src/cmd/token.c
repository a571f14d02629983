/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c: inquest token - who may ask a server for objects.
 */
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/object.h"
#include "serve/serve.h"

struct token_options {
	const char *project, *label, *store;
	bool all, json;
};

/* One thing that can be done with tokens, by the first operand. */
struct token_action {
	const char *name;
	size_t operands;        /* after the name */
	struct err *(*run)(const struct token_options *o, const char *dir,
			   char *const *operands);
};

/* ---- create ---- */

static struct err *
token_check_create(const struct token_options *o)
{
	if (!o->project == !o->all)
		return err_new(ERR_USAGE, "name the project that the token is "
			       "for with --project, or all of them with "
			       "--all");
	return o->all ? NULL : home_check_name("project", o->project);
}

/* The token itself is told here, and never again. */
static struct err *
token_run_create(const struct token_options *o, const char *dir,
		 char *const *operands)
{
	const char *project = o->all ? "" : o->project;
	char text[TOKEN_DIGITS + 1];
	_store_ struct store *s = NULL;
	_buf_ struct buf out = { 0 };

	(void)operands;
	struct err *err = token_check_create(o);
	if (!err)
		err = home_open(o->store, true, &s);
	if (!err)
		err = token_create(dir, project, o->label, text);
	if (err)
		return err;
	if (!o->json) {
		buf_printf(&out, "%s\n", text);
		return say_result(&out);
	}
	struct json *top = say_json("token");
	json_set(top, "token", json_string(text));
	json_set(top, "project", json_string(o->all ? NULL : project));
	err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

/* ---- list ---- */

struct token_listing {
	struct buf out;
	struct json *tokens;    /* or NULL: text is wanted */
};

static void
token_each(void *arg, const struct token *t)
{
	struct token_listing *l = arg;

	if (!l->tokens) {
		buf_printf(&l->out, "%s  ", t->id);
		object_time(&l->out, t->created_ns);
		buf_printf(&l->out, "  %s",
			   *t->project ? t->project : "(all projects)");
		if (t->label && *t->label)
			buf_puts(&l->out, "  ");
		buf_escape(&l->out, t->label ? t->label : "",
			   t->label ? strlen(t->label) : 0);
		buf_putc(&l->out, '\n');
		return;
	}
	struct json *j = json_object();
	json_set(j, "id", json_string(t->id));
	json_set(j, "project", json_string(*t->project ? t->project : NULL));
	json_set(j, "label", json_string(t->label));
	json_set(j, "created", object_utc(t->created_ns));
	json_add(l->tokens, j);
}

static struct err *
token_run_list(const struct token_options *o, const char *dir,
	       char *const *operands)
{
	_buf_ struct buf out = { 0 };
	struct token_listing l = { .tokens = o->json ? json_array() : NULL };

	(void)operands;
	struct err *err = token_list(dir, token_each, &l);
	out = l.out;
	if (o->json) {
		struct json *top = say_json("token");
		json_set(top, "tokens", l.tokens);
		if (!err)
			err = json_write(top, true, &out);
		json_free(top);
	}
	return err ? err : say_result(&out);
}

/* ---- revoke ---- */

static struct err *
token_run_revoke(const struct token_options *o, const char *dir,
		 char *const *operands)
{
	(void)o;
	struct err *err = token_revoke(dir, operands[0]);
	if (!err)
		say("token %s is no longer valid", operands[0]);
	return err;
}

/* ---- the verb ---- */

static const struct token_action token_actions[] = {
	{ "create", 0, token_run_create },
	{ "list", 0, token_run_list },
	{ "revoke", 1, token_run_revoke },
};

static struct err *
token_find_action(const struct operands *words,
		  const struct token_action **out)
{
	for (size_t k = 0; k < countof(token_actions); k++) {
		const struct token_action *a = &token_actions[k];
		if (strcmp(words->item[0], a->name) != 0)
			continue;
		if (words->n - 1 != a->operands)
			return err_new(ERR_USAGE, "%s takes %s", a->name,
				       a->operands ? "the id of one token"
						   : "no further word");
		*out = a;
		return NULL;
	}
	return err_new(ERR_USAGE, "\"%.80s\" is none of create, list and "
		       "revoke", words->item[0]);
}

static struct err *
token_run(const struct verb *v, int argc, char **argv, int *status)
{
	const struct token_action *action = NULL;
	struct token_options o = { 0 };
	_free_ char *dir = NULL;
	struct operands words;

	(void)status;
	struct err *err = verb_parse(v, argc, argv, &o, &words);
	if (!err)
		err = token_find_action(&words, &action);
	if (!err)
		err = home_dir(o.store, &dir);
	return err ? err : action->run(&o, dir, words.item + 1);
}

static const struct opt token_opts[] = {
	{ "project", 'p', "PROJECT", "create: for this project",
	  OPT_STRING, offsetof(struct token_options, project) },
	{ "all", 0, NULL, "create: for all projects",
	  OPT_FLAG, offsetof(struct token_options, all) },
	{ "label", 0, "TEXT", "create: what it is for, shown by list",
	  OPT_STRING, offsetof(struct token_options, label) },
	{ "store", 0, "DIR", "another store than the default one",
	  OPT_STRING, offsetof(struct token_options, store) },
	{ "json", 0, NULL, "the result as JSON",
	  OPT_FLAG, offsetof(struct token_options, json) },
	{ .name = NULL }
};

static const struct example token_examples[] = {
	{ PROGRAM " token create -p web --label ci", "prints a token" },
	{ PROGRAM " token list", "ids, projects and labels" },
	{ PROGRAM " token revoke 4be1", "by its id" },
	{ NULL, NULL }
};

static const struct exit_row token_exits[] = {
	{ 0, "done" },
	{ 1, "the store could not be written" },
	{ 2, "usage" },
	{ 3, "no such token or store" },
	{ 4, "not allowed to read or write the store" },
	{ 6, "the file of tokens is damaged" },
	{ 0, NULL }
};

const struct verb verb_token = {
	.name = "token",
	.operands = "create|list|revoke [ID]",
	.min = 1,
	.max = 2,
	.summary = "Make and revoke tokens for the server",
	.seldom = true,
	.text = "A token lets its holder open the objects of one project, or "
		"of all, through `" PROGRAM " serve`. create prints one, and "
		"that is the only time it is shown: the store keeps a hash. "
		"list shows what there are by their ids; revoke ends one, "
		"given its id or a beginning of it.\n\n"
		"Whoever owns the store needs none of these: the file \"token\" "
		"in it, made by the first start of serve and readable by its "
		"owner only, holds a token for all projects, which verbs use "
		"by themselves for servers on this machine.\n\n"
		"With --json the result of create is an object with token and "
		"project (null: all); of list, with tokens, a list of id, "
		"project, label, created (ISO 8601).",
	.options = token_opts,
	.examples = token_examples,
	.exits = token_exits,
	.run = token_run,
};
