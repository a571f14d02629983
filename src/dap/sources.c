/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: paths as this client writes them, and what a sourceReference means.
 *
 * A reference is handed out for a text that is known to be that of the build:
 * attached to the snapshot, or supplied by build-id. All else is a path, which
 * is the client's matter; nothing here reads a path of this machine.
 */
#include "base/cut.h"
#include "dap/impl.h"
#include "inspect/indexed.h"

#include <string.h>

#define FILES_MAX 4096u         /* whose text is looked for; others: by path */
#define SLOTS (2 * FILES_MAX)   /* a power of two */
#define OPEN_MAX 256u           /* descriptors of texts; then by path */
#define IDS_MAX (INT32_C(1) << 30)
#define LISTED_MAX 10000u       /* of "loadedSources" */
#define LOOKED_MAX 100000u      /* of one module */
#define TEXT_MAX (8u << 20)     /* bytes of one source */

struct source_shown {
	size_t module;
	const char *file;
	struct source *text;    /* the engine's; NULL = there is none */
	uint8_t columns;        /* see columns_units() */
};
/** All in the arena of what is shown. A reference is the number of a file + 1,
 * behind those of snapshots before. */
struct sources {
	struct source_shown *files;
	size_t n;
	size_t open;            /* texts that the engine has a descriptor for */
	uint16_t *slots;        /* hashed: number + 1; 0 = free */
};

/* ---- as this client counts ------------------------------------------------------ */
int64_t
sources_line(const struct dap *d, uint32_t line)
{
	return line && d->lines_from_0 ? (int64_t)line - 1 : line;
}

/* ---- paths ----------------------------------------------------------------------- */
static void
put_uri(struct buf *out, const char *path)
{
	if (*path == '/')
		buf_puts(out, "file://");
	text_put_uri(out, path, "-._~/");
}

/* "/build/x" is the beginning of "/build/x/a.c" and not of "/build/xy.c". */
static bool
is_prefix(const char *from, const char *path)
{
	size_t n = strlen(from);

	return strncmp(path, from, n) == 0
	       && (!path[n] || path[n] == '/' || from[n - 1] == '/');
}

static const struct source_map *
find_map(const struct dap *d, const char *path)
{
	for (size_t k = 0; k < d->n_maps; k++)
		if (is_prefix(d->maps[k].from, path))
			return &d->maps[k];
	return NULL;
}

static struct json *
path_json(const struct dap *d, const struct source_map *map, const char *file)
{
	_buf_ struct buf path = { 0 }, uri = { 0 };

	if (map)
		buf_puts(&path, map->to);
	buf_puts(&path, map ? file + strlen(map->from) : file);
	if (path.failed || !d->paths_are_uris)
		return json_string(path.failed ? NULL : path.data);
	put_uri(&uri, path.data);
	return json_string(uri.failed ? NULL : uri.data);
}

/* ---- texts ------------------------------------------------------------------------- */
static struct sources *
sources_of(struct dap *d)
{
	struct sources *s = d->sources;
	struct arena *a = s ? NULL : session_lasting(d);

	if (s || !a)
		return s;
	s = arena_alloc(a, sizeof(*s));
	if (!s)
		return NULL;
	s->files = arena_array(a, FILES_MAX, sizeof(*s->files));
	s->slots = arena_array(a, SLOTS, sizeof(*s->slots));
	d->sources = s->files && s->slots ? s : NULL;
	return d->sources;
}

/* Those that were handed out mean nothing from here on. */
void
sources_forget(struct dap *d)
{
	if (d->sources)
		d->sources_before += (int64_t)d->sources->n;
	if (d->sources_before > IDS_MAX)
		d->sources_before = 0;
	d->sources = NULL;
}

static size_t
hash_file(size_t module, const char *file)
{
	uint64_t h = module + 1;

	for (; *file; file++)
		h = (h ^ (uint8_t)*file) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

/* Asked for once, when a file is first shown. */
static struct source *
find_text(struct dap *d, size_t module, const char *file)
{
	size_t n;
	const struct snap_module *m = insp_modules(d->shown.insp, &n);
	const struct module_id none = { .kind = ID_NONE };
	struct source *text = NULL;

	if (d->sources->open >= OPEN_MAX)
		return NULL;
	err_free(insp_file_by_id(d->shown.insp, module < n ? &m[module].id
				 : &none, file, &text));
	if (text && source_descriptor(text) >= 0)
		d->sources->open++;
	return text;
}

/* Its slot, or the free one where it would be. */
static uint16_t *
find_slot(const struct sources *s, size_t module, const char *file)
{
	size_t at = hash_file(module, file) % SLOTS;

	for (; s->slots[at]; at = (at + 1) % SLOTS) {
		const struct source_shown *f = &s->files[s->slots[at] - 1];

		if (f->module == module && strcmp(f->file, file) == 0)
			break;
	}
	return &s->slots[at];
}

static void
sources_add(struct dap *d, struct sources *s, size_t module, const char *file,
	    uint16_t *slot)
{
	const char *copy = s->n < FILES_MAX ? arena_strdup(d->lasting, file) : NULL;

	if (!copy)
		return;
	s->files[s->n] = (struct source_shown){
		.module = module, .file = copy,
		.text = find_text(d, module, copy),
	};
	*slot = (uint16_t)++s->n;
}

/* 0: by its path alone. Unless @ask, as far as it is known. */
static int64_t
source_reference(struct dap *d, size_t module, const char *file, bool ask)
{
	struct sources *s = sources_of(d);
	uint16_t *slot = s ? find_slot(s, module, file) : NULL;

	if (slot && !*slot && ask)
		sources_add(d, s, module, file, slot);
	return slot && *slot && s->files[*slot - 1].text
	       ? d->sources_before + *slot : 0;
}

/* Of POSIX, or of Windows. */
static bool
path_is_rooted(const char *path)
{
	return *path == '/' || *path == '\\' || (*path && path[1] == ':');
}

static struct json *
source_json(struct dap *d, size_t module, const char *file, bool ask)
{
	const struct source_map *map = find_map(d, file);
	struct json *j = json_object();

	json_set(j, "name", json_string(cut_base(file)));
	json_set(j, "path", path_json(d, map, file));
	int64_t reference = map ? 0 : source_reference(d, module, file, ask);
	if (reference)
		json_set(j, "sourceReference", json_i64(reference));
	/* No client finds it, and VS Code would begin with a page that says so
	 * in place of the first frame that has a text. */
	else if (!path_is_rooted(map ? map->to : file))
		json_set(j, "presentationHint", json_string("deemphasize"));
	return j;
}

struct json *
sources_source(struct dap *d, size_t module, const char *file)
{
	return file && *file ? source_json(d, module, file, true)
			     : json_null();
}

int64_t
sources_column(struct dap *d, const struct source_place *at)
{
	struct sources *s = at->file && at->column ? d->sources : NULL;
	uint16_t *slot = s ? find_slot(s, at->module, at->file) : NULL;
	struct source_shown *f = slot && *slot ? &s->files[*slot - 1] : NULL;
	uint32_t column = f && f->text
			  ? columns_units(f->text, &f->columns, at->line,
					  at->column) : at->column;

	return column && d->columns_from_0 ? (int64_t)column - 1 : column;
}

/* ---- "source" ------------------------------------------------------------------------ */
static struct err *
source_which(struct dap *d, const struct json *arguments, struct source **out)
{
	static const struct arg_bounds ids = { 0, INT64_MAX, 0 };
	const struct json *inner = json_get(arguments, "source");
	int64_t id = 0;

	struct err *err = arg_number(inner, "sourceReference", &ids, &id);
	if (!err && !id)
		err = arg_number(arguments, "sourceReference", &ids, &id);
	if (err)
		return err;
	if (!id)
		return err_new(ERR_USAGE, "a source without a reference is a "
			       "file of the client's: it is not read here; "
			       "\"sourceMap\" of \"attach\" says where it is");
	int64_t nth = id - d->sources_before - 1;
	if (!d->sources || nth < 0 || (uint64_t)nth >= d->sources->n
	    || !d->sources->files[nth].text)
		return err_new(ERR_NOTFOUND, "no source has the reference %lld, "
			       "or not any more", (long long)id);
	*out = d->sources->files[nth].text;
	return NULL;
}

struct err *
sources_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	_arena_ struct arena *a = arena_new(0);
	struct source *source = NULL;
	struct span text = { NULL, 0 };

	struct err *err = a ? source_which(d, arguments, &source)
			    : err_nomem();
	if (!err && source)
		err = source_load(source, 0, source_size(source), TEXT_MAX, a,
				  &text);
	if (err)
		return err;
	*body = json_object();
	json_set(*body, "content", json_of_text(text));
	return NULL;
}

/* ---- "loadedSources" -------------------------------------------------------------------- */
/* No text is looked for; those that were shown have their references. */
static size_t
list_module(struct dap *d, size_t module, size_t room, struct json *list)
{
	struct symidx *ix;
	size_t n = 0;
	bool asked;

	ix = insp_index_known(d->shown.insp, module, &asked);
	for (uint32_t k = 0; ix && n < room && k < LOOKED_MAX; k++) {
		uint32_t string = symidx_source(ix, k);
		const char *file;

		if (string == SYM_NONE)
			break;
		file = symidx_string(ix, string);
		if (!file || !*file)
			continue;
		json_add(list, source_json(d, module, file, false));
		n++;
	}
	return n;
}

struct err *
sources_loaded(struct dap *d, const struct json *arguments, struct json **body)
{
	struct json *list = json_array();
	size_t n, listed = 0;

	(void)arguments;
	insp_modules(d->shown.insp, &n);
	for (size_t k = 0; k < n; k++)
		listed += list_module(d, k, LISTED_MAX - listed, list);
	*body = json_object();
	json_set(*body, "sources", list);
	return NULL;
}
