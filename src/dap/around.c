/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was around a process: where its threads were in the kernel, open files,
 * arguments, environment, limits, the machine. Of what was not captured it is
 * said that it was not: an empty list would be a lie.
 */
#include "base/cut.h"
#include "dap/impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 4096u         /* arguments, and variables */
#define STACK_MAX 256u          /* lines of a kernel stack */
#define TEXT_MAX (1u << 20)     /* bytes of a text that are looked at */
#define SYSTEM_MAX 8192u        /* of one about the machine, and its name */

static bool
around_text(const struct dap *d, const char *name, struct span *out)
{
	const struct target *t = insp_target(d->shown.insp);

	for (size_t k = 0; k < t->n_texts; k++) {
		if (strcmp(t->texts[k].name, name) != 0)
			continue;
		*out = t->texts[k].bytes;
		if (out->n > TEXT_MAX)
			out->n = TEXT_MAX;
		return true;
	}
	return false;
}

/* @what of the text @name had no room: @rest of it was not told, or not even
 * looked at. */
static void
tell_cut(const struct dap *d, struct json *list, const char *name,
	 const char *what, const struct span *rest)
{
	const struct target *t = insp_target(d->shown.insp);
	bool cut = rest->n > 0;

	for (size_t k = 0; k < t->n_texts; k++)
		if (strcmp(t->texts[k].name, name) == 0) {
			cut = cut || t->texts[k].bytes.n > TEXT_MAX;
			break;
		}
	if (cut)
		json_add(list, json_string(what));
}

static struct err *
around_absent(const char *what)
{
	return err_new(ERR_ABSENT, "%s were not captured: a core has none, `"
		       "inquest capture` takes them where it may read them",
		       what);
}

/* Begins like one. */
static bool
is_number(struct span text)
{
	return text.n && *(const char *)text.data >= '0'
	       && *(const char *)text.data <= '9';
}

/* Stands for what is not known. */
static bool
is_dash(struct span text)
{
	return text.n == 1 && *(const char *)text.data == '-';
}

/* ---- the kernel's stack ----------------------------------------------------------- */
/* "[<0>] futex_wait+0x64/0xe0": what is in front says nothing any more. */
static struct json *
kernel_frame(struct span line)
{
	const char *p = line.data;
	const char *blank = line.n && *p == '[' ? memchr(p, ' ', line.n) : NULL;

	if (!blank)
		return json_of_span(line);
	return json_of_span((struct span){
			blank + 1, line.n - (size_t)(blank + 1 - p) });
}

static uint64_t
number_of(struct span digits)
{
	char text[24] = "";

	if (digits.n < sizeof(text))
		memcpy(text, digits.data, digits.n);
	return strtoull(text, NULL, 10);
}

/* A thread's row in the text "threads": tid, state, times, processor, and where
 * in the kernel it was. */
static bool
around_thread(const struct dap *d, uint64_t tid, struct span *row)
{
	struct span text, line, cell;

	if (!around_text(d, "threads", &text))
		return false;
	while (cut_until(&text, '\n', &line)) {
		*row = line;
		if (cut_until(&line, '\t', &cell) && is_number(cell)
		    && number_of(cell) == tid)
			return true;
	}
	return false;
}

static void
put_thread(struct json *body, struct span row)
{
	static const struct { const char *name; bool number; } columns[] = {
		{ NULL, false }, { NULL, false }, { "userMs", true },
		{ "systemMs", true }, { "processor", true },
		{ "waitsIn", false }, { "systemCall", false },
	};
	struct span cell;

	for (size_t k = 0; k < countof(columns)
			   && cut_until(&row, '\t', &cell); k++) {
		if (!columns[k].name || !cell.n || is_dash(cell)
		    || (columns[k].number && !is_number(cell)))
			continue;
		json_set(body, columns[k].name, columns[k].number
			 ? json_integer(number_of(cell), false)
			 : json_of_span(cell));
	}
}

static struct json *
kernel_frames(const char *stack)
{
	struct span line, text = { stack, strnlen(stack, TEXT_MAX) };
	struct json *list = json_array();

	for (size_t k = 0; k < STACK_MAX && cut_until(&text, '\n', &line); k++)
		json_add(list, kernel_frame(line));
	return list;
}

/* Where its stack may not be read, a row still says where the thread waits. */
struct err *
around_kernel_stack(struct dap *d, const struct json *arguments,
		    struct json **body)
{
	const struct target *t = insp_target(d->shown.insp);
	struct span row = { "", 0 };
	size_t thread;

	struct err *err = stack_thread(d, arguments, &thread);
	if (err)
		return err;
	const struct snap_thread *s = &t->threads[thread];
	bool told = around_thread(d, s->tid, &row);
	if (!s->kernel_stack && !told)
		return err_new(ERR_ABSENT, "the kernel's stack of thread %"
			       PRIu64 " was not captured: reading it needs "
			       "CAP_SYS_ADMIN", s->tid);
	*body = json_object();
	json_set(*body, "threadId", json_i64(stack_thread_id(d, thread)));
	json_set(*body, "state", json_string(snap_state_text(s->state)));
	if (s->kernel_stack)
		json_set(*body, "frames", kernel_frames(s->kernel_stack));
	if (told)
		put_thread(*body, row);
	return NULL;
}

/* ---- descriptors ---------------------------------------------------------------------- */
static struct json *
fd_json(struct span line)
{
	static const char *const columns[] = {
		"flags", "position", "name", "detail",
	};
	struct json *j = json_object();
	struct span cell = { "", 0 };

	(void)cut_until(&line, '\t', &cell);
	json_set(j, "number", json_integer(number_of(cell), false));
	for (size_t k = 0; k < countof(columns); k++) {
		if (!cut_until(&line, '\t', &cell) || !cell.n || is_dash(cell))
			continue;
		json_set(j, columns[k], json_of_span(cut_trimmed(cell)));
	}
	return j;
}

/* "and 7 more": of a process with very many not all are told. */
static uint64_t
fds_left_out(struct span line)
{
	static const char before[] = "and ";
	const size_t n = sizeof(before) - 1;
	const char *s = line.data;

	if (line.n <= n || memcmp(s, before, n) != 0)
		return 0;
	return number_of((struct span){ s + n, line.n - n });
}

struct err *
around_fds(struct dap *d, const struct json *arguments, struct json **body)
{
	struct span text, line, all;
	struct json *list;
	uint64_t left_out = 0;
	struct page p;
	size_t n = 0;

	if (!around_text(d, "fd", &text))
		return around_absent("open files");
	for (all = text; cut_until(&all, '\n', &line);) {
		n += is_number(line);
		left_out += fds_left_out(line);
	}
	struct err *err = page_of(arguments, n, &p);
	if (err)
		return err;
	list = json_array();
	for (n = 0; cut_until(&text, '\n', &line);)
		if (is_number(line) && n++ >= p.start && n <= p.end)
			json_add(list, fd_json(line));
	*body = page_body("descriptors", list, &p);
	if (left_out)
		json_set(*body, "leftOut", json_u64(left_out));
	return NULL;
}

/* ---- arguments, environment, limits ------------------------------------------------------ */
static void
put_arguments(const struct dap *d, struct json *body, struct json *cut)
{
	const struct snap_process *p = &insp_target(d->shown.insp)->process;
	struct json *list;
	struct span text, word;

	if (!around_text(d, "cmdline", &text)) {
		if (p->arguments)
			json_set(body, "commandLine",
				 json_string(p->arguments));
		return;
	}
	/* Of what a process wrote over to call itself something else. */
	while (text.n > 1 && !((const char *)text.data)[text.n - 2])
		text.n--;
	list = json_array();
	for (size_t k = 0; k < WORDS_MAX && cut_until(&text, '\0', &word); k++)
		json_add(list, json_of_span(word));
	json_set(body, "arguments", list);
	tell_cut(d, cut, "cmdline", "arguments", &text);
}

static void
put_variables(const struct dap *d, struct json *body, struct json *cut)
{
	struct json *list;
	struct span text, word, name;

	if (!around_text(d, "environ", &text))
		return;
	list = json_array();
	for (size_t k = 0; k < WORDS_MAX && cut_until(&text, '\0', &word); k++) {
		struct json *j;

		if (!cut_until(&word, '=', &name))
			continue;
		j = json_object();
		json_set(j, "name", json_of_span(name));
		json_set(j, "value", json_of_span(word));
		json_add(list, j);
	}
	json_set(body, "variables", list);
	tell_cut(d, cut, "environ", "variables", &text);
}

/* Columns of fs/proc/base.c: "%-25s %-20s %-20s %-10s". */
static struct json *
limit_json(struct span line)
{
	static const struct { const char *name; size_t from, to; } columns[] = {
		{ "name", 0, 26 }, { "soft", 26, 47 }, { "hard", 47, 68 },
		{ "unit", 68, 78 },
	};
	struct json *j = json_object();

	for (size_t k = 0; k < countof(columns); k++) {
		size_t from = columns[k].from < line.n ? columns[k].from : line.n;
		size_t to = columns[k].to < line.n ? columns[k].to : line.n;
		struct span cell = cut_trimmed((struct span){
				(const char *)line.data + from, to - from });

		if (cell.n)
			json_set(j, columns[k].name, json_of_span(cell));
	}
	return j;
}

static void
put_limits(const struct dap *d, struct json *body, struct json *cut)
{
	struct json *list;
	struct span text, line;

	if (!around_text(d, "limits", &text) || !cut_until(&text, '\n', &line))
		return;
	list = json_array();
	for (size_t k = 0; k < WORDS_MAX && cut_until(&text, '\n', &line); k++)
		if (line.n)
			json_add(list, limit_json(line));
	json_set(body, "limits", list);
	tell_cut(d, cut, "limits", "limits", &text);
}

/* Short texts about the machine, by their names. */
static void
put_system(const struct dap *d, struct json *body, struct json *cut)
{
	static const char prefix[] = "system/";
	const struct target *t = insp_target(d->shown.insp);
	const size_t skip = sizeof(prefix) - 1;
	struct json *system = json_object();
	size_t room = TEXT_MAX;
	bool all = true;

	for (size_t k = 0; k < t->n_texts; k++) {
		const char *name = t->texts[k].name;
		struct span text = t->texts[k].bytes;

		if (strncmp(name, prefix, skip) != 0 || !text.n)
			continue;
		if (strnlen(name, SYSTEM_MAX) + text.n > SYSTEM_MAX
		    || room < SYSTEM_MAX) {
			all = false;
			continue;
		}
		room -= strlen(name) + text.n;
		if (((const char *)text.data)[text.n - 1] == '\n')
			text.n--;
		json_set(system, name + skip, json_of_text(text));
	}
	json_set(body, "system", system);
	if (!all)
		json_add(cut, json_string("system"));
}

static void
put_ids(const struct dap *d, struct json *body)
{
	const struct snap_process *p = &insp_target(d->shown.insp)->process;
	const struct { const char *name; const char *text; } texts[] = {
		{ "program", p->exe }, { "directory", p->cwd },
	};
	const struct { const char *name; uint64_t number; } numbers[] = {
		{ "pid", p->pid }, { "parent", p->ppid }, { "uid", p->uid },
		{ "gid", p->gid },
	};

	for (size_t k = 0; k < countof(texts); k++)
		if (texts[k].text)
			json_set(body, texts[k].name,
				 json_string(texts[k].text));
	/* A record without a name never held the process's ids either. */
	for (size_t k = 0; k < countof(numbers) && p->name && *p->name; k++)
		json_set(body, numbers[k].name,
			 json_integer(numbers[k].number, false));
}

/* What is not in it was not captured. */
struct err *
around_environment(struct dap *d, const struct json *arguments,
		   struct json **body)
{
	struct json *cut = json_array();

	(void)arguments;
	*body = json_object();
	put_ids(d, *body);
	put_arguments(d, *body, cut);
	put_variables(d, *body, cut);
	put_limits(d, *body, cut);
	put_system(d, *body, cut);
	if (json_length(cut))
		json_set(*body, "cut", cut);
	else
		json_free(cut);
	return NULL;
}
