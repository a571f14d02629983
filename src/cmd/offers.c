/* SPDX-License-Identifier: Apache-2.0 */
/*
 * offers.c: from words to snapshots and their series.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/offers.h"

/* Above the pids of small machines, so that a number is seen to be one. */
#define FIRST_NUMBER 1001u
#define OFFERS_MAX 20000u
#define SERIES_DIGITS 16u
#define INDEX_DIGITS 4u

struct member {
	const char *word;
	uint64_t index;
};

static int
member_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* ---- rows ---- */

static struct worker_offer *
offers_row(const struct offers *o, size_t k)
{
	return &((struct worker_offer *)o->rows.data)[k];
}

static const char *
offers_at(const struct offers *o, size_t k)
{
	return ((const char *const *)o->words.data)[k];
}

static struct err *
offers_add(struct offers *o, const char *word, uint64_t index, unsigned group)
{
	struct worker_offer *row = vec_add(&o->rows, o->arena, sizeof(*row));
	const char **slot = vec_add(&o->words, o->arena, sizeof(*slot));

	if (!row || !slot)
		return err_nomem();
	*slot = arena_strdup(o->arena, word);
	*row = (struct worker_offer){
		.number = FIRST_NUMBER + o->rows.n - 1, .index = index,
		.group = group, .id = *slot,
	};
	return *slot ? NULL : err_nomem();
}

static size_t
offers_find(const struct offers *o, const char *word)
{
	for (size_t k = 0; k < o->words.n; k++) {
		if (strcmp(offers_at(o, k), word) == 0)
			return k;
	}
	return SIZE_MAX;
}

/* Those of @members that are not there yet: they are later ones. */
static struct err *
offers_add_group(struct offers *o, struct vec *members, unsigned group)
{
	struct member *m = members->data;
	struct err *err = NULL;

	if (members->n)
		qsort(m, members->n, sizeof(*m), member_order);
	for (size_t k = 0; k < members->n && !err; k++) {
		if (offers_find(o, m[k].word) == SIZE_MAX)
			err = offers_add(o, m[k].word, m[k].index, group);
	}
	return err;
}

/* ---- files ---- */

/** A name around the number: "dir/" "x." NUMBER ".snap". */
struct pattern {
	char *dir;              /* with its slash; "" = the one we are in */
	char *before, *after;
};

static void
pattern_fini(struct pattern *p)
{
	free(p->dir);
	free(p->before);
	free(p->after);
}

/* Where the digits of "x.0001.snap" or "x.0001" begin and end in @name. */
static bool
pattern_digits(const char *name, size_t *from, size_t *to)
{
	size_t n = strlen(name);

	if (n > 5 && strcmp(name + n - 5, ".snap") == 0)
		n -= 5;
	*to = n;
	while (n && isdigit((unsigned char)name[n - 1]))
		n--;
	*from = n;
	return *to - n >= INDEX_DIGITS && n > 1 && name[n - 1] == '.';
}

static struct err *
pattern_of(const char *word, struct pattern *out)
{
	const char *slash = strrchr(word, '/');
	const char *name = slash ? slash + 1 : word;
	size_t from, to, n = strlen(name);

	out->dir = strndup(word, (size_t)(name - word));
	if (pattern_digits(name, &from, &to)) {
		out->before = strndup(name, from);
		out->after = strdup(name + to);
	} else {
		size_t stem = n > 5 && strcmp(name + n - 5, ".snap") == 0
			      ? n - 5 : n;
		if (asprintf(&out->before, "%.*s.", (int)stem, name) < 0)
			out->before = NULL;
		out->after = strdup(name + stem);
	}
	return out->dir && out->before && out->after ? NULL : err_nomem();
}

/* The number in @name, if it is one of @p's. */
static bool
pattern_index(const struct pattern *p, const char *name, uint64_t *out)
{
	size_t b = strlen(p->before), n = strlen(name), a = strlen(p->after);

	if (n < b + a + INDEX_DIGITS || n > b + a + SERIES_DIGITS
	    || strncmp(name, p->before, b) != 0
	    || strcmp(name + n - a, p->after) != 0
	    || strspn(name + b, "0123456789") < n - a - b)
		return false;
	*out = strtoull(name + b, NULL, 10);
	return true;
}

/* All files beside @word whose names differ in the number only. */
static struct err *
files_members(struct arena *a, const char *word, struct vec *out)
{
	_cleanup_(pattern_fini) struct pattern p = { 0 };
	struct err *err = pattern_of(word, &p);
	const struct dirent *d;

	if (err || !p.before || !p.after)
		return err;
	DIR *dir = opendir(p.dir[0] ? p.dir : ".");
	if (!dir)
		return NULL;
	while (!err && out->n < OFFERS_MAX && (d = readdir(dir))) {
		uint64_t index;
		if (!pattern_index(&p, d->d_name, &index))
			continue;
		struct member *m = vec_add(out, a, sizeof(*m));
		if (m)
			*m = (struct member){
				arena_printf(a, "%s%s", p.dir, d->d_name),
				index };
		if (!m || !m->word)
			err = err_nomem();
	}
	closedir(dir);
	return err;
}

/* ---- objects of the store ---- */

struct objects {
	struct arena *a;
	const char *series;
	struct vec *out;        /* of struct member */
	struct err *err;
	size_t seen;
};

static const struct snap_attr *
object_attr(const struct store_object *o, const char *key)
{
	for (size_t k = 0; k < o->n_attrs; k++) {
		if (strcmp(o->attrs[k].key, key) == 0)
			return &o->attrs[k];
	}
	return NULL;
}

static const char *
object_series(const struct store_object *o)
{
	const struct snap_attr *a = object_attr(o, "series.id");

	return a && a->type == SNAP_ATTR_STRING ? a->string : NULL;
}

static uint64_t
object_index(const struct store_object *o)
{
	const struct snap_attr *a = object_attr(o, "series.index");

	return !a ? 0 : a->type != SNAP_ATTR_STRING ? a->number
	       : strtoull(a->string ? a->string : "", NULL, 10);
}

static bool
objects_add(void *arg, const struct store_object *o)
{
	struct objects *l = arg;
	const char *series = object_series(o);

	if (series && strcmp(series, l->series) == 0) {
		struct member *m = vec_add(l->out, l->a, sizeof(*m));
		if (m)
			*m = (struct member){
				arena_printf(l->a, "%s/%" PRIx64,
					     o->ref.project, o->ref.number),
				object_index(o) };
		if (!m || !m->word)
			l->err = err_nomem();
	}
	return !l->err && ++l->seen < OFFERS_MAX;
}

static struct err *
objects_list(struct arena *a, struct store *s, const char *project,
	     const char *series, struct vec *out)
{
	struct objects l = { .a = a, .series = series, .out = out };
	struct err *err = store_list(s, project, objects_add, &l);

	if (err)
		err_free(l.err);
	return err ? err : l.err;
}

/*
 * The series that the object @word is of; *@word becomes what names it in the
 * list. Or the series with that id: *@word becomes NULL.
 */
static struct err *
objects_members(struct arena *a, const char **word, struct vec *out)
{
	_store_ struct store *s = NULL;
	struct store_object object;
	struct store_ref ref;

	struct err *err = home_open(NULL, false, &s);
	if (err)
		return err;
	err = store_find(s, *word, NULL, &ref);
	if (err && strlen(*word) == SERIES_DIGITS) {
		_err_ struct err *none = objects_list(a, s, NULL, *word, out);
		if (none || !out->n)
			return err;
		err_free(err);
		*word = NULL;
		return NULL;
	}
	if (!err)
		err = store_object(s, &ref, a, &object);
	if (err || !object_series(&object))
		return err;
	*word = arena_printf(a, "%s/%" PRIx64, ref.project, ref.number);
	if (!*word)
		return err_nomem();
	return objects_list(a, s, ref.project, object_series(&object), out);
}

/* ---- words ---- */

/* A file wins over an object, and both over the name of a series. */
static struct err *
offers_members(struct arena *a, const char **word, struct vec *out)
{
	struct stat st;
	bool there = stat(*word, &st) == 0;
	size_t from, to;

	if (pick_is_url(*word))
		return NULL;
	const char *slash = strrchr(*word, '/');
	if (there && !pattern_digits(slash ? slash + 1 : *word, &from, &to))
		return NULL;
	struct err *err = files_members(a, *word, out);
	if (err || there)
		return err;
	if (out->n) {
		*word = NULL;
		return NULL;
	}
	/* What is wrong with it is said when it is opened. */
	err_free(objects_members(a, word, out));
	return NULL;
}

static struct err *
offers_type(struct offers *o, const char *typed)
{
	const char *word = typed;
	struct vec members = { 0 };
	size_t k;

	struct err *err = offers_members(o->arena, &word, &members);
	if (err)
		return err;
	k = word ? offers_find(o, word) : SIZE_MAX;
	if (k == SIZE_MAX) {
		k = o->rows.n;
		err = members.n ? offers_add_group(o, &members,
						   (unsigned)k + 1)
				: offers_add(o, word, 0, 0);
		if (!err && word && members.n)
			k = offers_find(o, word);
	}
	if (err)
		return err;
	if (k >= o->rows.n)
		return err_new(ERR_NOTFOUND, "%s: no such file", typed);
	offers_row(o, k)->listed = true;
	o->words_typed[o->n_typed] = arena_strdup(o->arena, typed);
	if (!o->words_typed[o->n_typed])
		return err_nomem();
	o->typed[o->n_typed++] = offers_row(o, k)->number;
	return NULL;
}

const char *
offers_word(const struct offers *o, size_t k)
{
	return offers_at(o, o->typed[k] - FIRST_NUMBER);
}

bool
offers_alone(const struct offers *o)
{
	return o->rows.n == 1 && !offers_row(o, 0)->group;
}

/* ---- for the desk ---- */

/* A series may be growing: what has come since is added to its group. */
static struct err *
offers_refresh(void *arg, unsigned group)
{
	_arena_ struct arena *a = arena_new(0);
	struct vec members = { 0 };
	struct offers *o = arg;

	if (!a)
		return err_nomem();
	const char *word = offers_at(o, group - 1);
	struct err *err = offers_members(a, &word, &members);
	if (!err && word)
		err = offers_add_group(o, &members, group);
	o->desk.offers = o->rows.data;
	o->desk.n = o->rows.n;
	return err;
}

/*
 * Which of several snapshots a question for a module is of is not known: the
 * symbol files of a project serve as long as all are of that project.
 */
static void
offers_keep_project(struct offers *o, const struct pick *shown)
{
	char *first = o->first.project;

	if (first && (!shown->project || strcmp(shown->project, first) != 0))
		free(take(o->first.project));
}

static struct err *
offers_open(void *arg, uint64_t number, int *fd, char **title)
{
	struct offers *o = arg;
	_pick_ struct pick p = PICK_NONE;
	const struct pick *from = &p;

	if (number == o->typed[0])
		from = &o->first;
	struct err *err = from == &p ? pick_open(offers_at(
				o, number - FIRST_NUMBER), &p) : NULL;
	if (err)
		return err;
	offers_keep_project(o, from);
	*title = strdup(from->title);
	*fd = dup(from->fd);
	if (*title && *fd >= 0)
		return NULL;
	err = *title ? err_errno("cannot pass a snapshot on") : err_nomem();
	base_close(fd);
	*fd = -1;
	return err;
}

/* Only as it was called before: a worker that was taken over may ask for any
 * name, and has not read anything yet where there was none. */
static struct err *
offers_find_named(void *arg, const char *name, uint64_t *number)
{
	struct offers *o = arg;
	struct err *err = NULL;

	if (!o->n_typed) {
		err = offers_type(o, name);
		if (!err)
			err = pick_open(offers_word(o, 0), &o->first);
		if (err)
			o->n_typed = 0;
		o->desk.offers = o->rows.data;
		o->desk.n = o->rows.n;
	}
	for (size_t k = 0; k < o->n_typed && !err; k++) {
		if (strcmp(o->words_typed[k], name) == 0) {
			*number = o->typed[k];
			return NULL;
		}
	}
	size_t k = err ? SIZE_MAX : offers_find(o, name);
	if (k != SIZE_MAX)
		*number = offers_row(o, k)->number;
	else if (!err)
		err = err_new(ERR_NOTFOUND, "no snapshot here is called "
			      "\"%s\": only what the session was started with "
			      "is", name);
	return err;
}

struct err *
offers_make(char *const *typed, size_t n, struct offers *out)
{
	struct err *err = NULL;

	*out = (struct offers){ .arena = arena_new(0), .first = PICK_NONE };
	if (!out->arena)
		return err_nomem();
	if (n > OFFERS_TYPED_MAX)
		return err_new(ERR_USAGE, "at most %u snapshots are shown side "
			       "by side", OFFERS_TYPED_MAX);
	for (size_t k = 0; k < n && !err; k++)
		err = offers_type(out, typed[k]);
	if (!err && n)
		err = pick_open(offers_word(out, 0), &out->first);
	out->desk = (struct worker_desk){
		.offers = out->rows.data, .n = out->rows.n,
		.open = offers_open, .refresh = offers_refresh,
		.find = offers_find_named, .arg = out,
	};
	return err;
}

void
offers_fini(struct offers *o)
{
	pick_fini(&o->first);
	arena_free(o->arena);
}
