/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules, as clients know them. To list them asks for no index of symbols: it
 * is said what is known so far.
 */
#include "base/cut.h"
#include "dap/impl.h"
#include "inspect/indexed.h"

#include <string.h>

#define MODULES_MAX 4096u       /* of a request */

struct json *
modules_id(struct dap *d, size_t module)
{
	char text[2 * ID_MAX + 1];
	size_t n;
	const struct snap_module *m = insp_modules(d->shown.insp, &n);

	if (module >= n)
		return json_null();
	id_text(&m[module].id, text);
	return *text ? json_string(text) : json_u64(module + 1);
}

/* ---- what is known of its symbols -------------------------------------------- */
/* Where there is no index, as far as anybody looked: to list modules is no
 * reason to look for the files of all of them, which servers may have. */
static const char *
status_of_file(struct dap *d, size_t module, bool asked)
{
	static const char later[] = "symbols are read when they are needed";
	static const char *const rows[] = {
		[MODULE_FILE_NONE] =
			"its file is not here: fetch it by its build-id",
		[MODULE_FILE_EXACT] =
			"the file is here, an index of its symbols is not: "
			"run `inquest index`",
		[MODULE_FILE_UNVERIFIED] =
			"a file that fits is here, which has no build-id; an "
			"index of its symbols is not: run `inquest index`",
		[MODULE_FILE_COMPOSED] =
			"only what was captured of the file is here: fetch it "
			"by its build-id",
	};
	enum module_file kind;
	size_t n;

	if (!insp_module_file_known(d->shown.insp, module, &kind))
		return later;
	if (kind == MODULE_FILE_NONE
	    && insp_modules(d->shown.insp, &n)[module].id.kind == ID_NONE)
		return "its file is not here, and it has no build-id to fetch "
		       "it by";
	return asked || kind == MODULE_FILE_NONE || kind == MODULE_FILE_COMPOSED
	       ? rows[kind] : later;
}

static const char *
module_status(struct dap *d, size_t module)
{
	bool asked;
	const struct symidx *ix = insp_index_known(d->shown.insp, module,
						   &asked);

	if (!ix)
		return status_of_file(d, module, asked);
	const struct symidx_about *about = symidx_about(ix);
	if (about->dwarf_size && about->units_lost)
		return "debug info, damaged: not all of it could be read";
	if (about->dwarf_size)
		return "debug info: variables, types and lines";
	return "no debug info, names of functions only: fetch it by the "
	       "build-id";
}

/* ---- a module ---------------------------------------------------------------- */
static struct json *
module_range(const struct snap_module *m)
{
	_buf_ struct buf text = { 0 };

	buf_printf(&text, "0x%llx-0x%llx", (unsigned long long)m->start,
		   (unsigned long long)m->end);
	return json_string(text.failed ? NULL : text.data);
}

static const char *
module_path(const struct snap_module *m)
{
	return m->path ? m->path : m->n_names ? m->names[0] : NULL;
}

static struct json *
module_name(const struct snap_module *m)
{
	const char *path = module_path(m);

	if (path && *path)
		return json_string(cut_base(path));
	return json_string(m->flags & SNAP_MODULE_VDSO ? "[vdso]" : "(no name)");
}

struct json *
modules_json(struct dap *d, size_t module)
{
	size_t n;
	const struct snap_module *m = &insp_modules(d->shown.insp, &n)[module];
	struct json *j = json_object();
	char id[2 * ID_MAX + 1];

	json_set(j, "id", modules_id(d, module));
	json_set(j, "name", module_name(m));
	if (module_path(m))
		json_set(j, "path", json_string(module_path(m)));
	json_set(j, "symbolStatus", json_string(module_status(d, module)));
	json_set(j, "addressRange", module_range(m));
	id_text(&m->id, id);
	if (*id)
		json_set(j, "buildId", json_string(id));
	return j;
}

/* ---- what is known better now ------------------------------------------------ */
static void
modules_expect(struct dap *d, size_t module)
{
	struct arena *a = session_lasting(d);
	bool asked;

	(void)insp_index_known(d->shown.insp, module, &asked);
	if (asked || module >= MODULES_MAX || !a)
		return;
	if (!d->modules_listed)
		d->modules_listed = arena_alloc(a, MODULES_MAX);
	if (!d->modules_listed || d->modules_listed[module])
		return;
	d->modules_listed[module] = 1;
	d->modules_expected++;
}

void
modules_tell(struct dap *d)
{
	size_t n;

	insp_modules(d->shown.insp, &n);
	for (size_t k = 0; k < n && k < MODULES_MAX && d->modules_expected;
	     k++) {
		struct json *body;
		bool asked;

		if (!d->modules_listed[k])
			continue;
		(void)insp_index_known(d->shown.insp, k, &asked);
		if (!asked)
			continue;
		d->modules_listed[k] = 0;
		d->modules_expected--;
		body = json_object();
		json_set(body, "reason", json_string("changed"));
		json_set(body, "module", modules_json(d, k));
		dap_event(d, "module", body);
	}
}

void
modules_forget(struct dap *d)
{
	d->modules_listed = NULL;
	d->modules_expected = 0;
}

struct err *
modules_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	static const struct arg_bounds counts = { 0, INT32_MAX, 0 };
	struct json *list;
	int64_t start, count;
	size_t n;

	insp_modules(d->shown.insp, &n);
	struct err *err = arg_number(arguments, "startModule", &counts, &start);
	if (!err)
		err = arg_number(arguments, "moduleCount", &counts, &count);
	if (err)
		return err;
	if (!count || count > MODULES_MAX)
		count = MODULES_MAX;
	list = json_array();
	for (size_t k = (size_t)start; k < n && count--; k++) {
		json_add(list, modules_json(d, k));
		modules_expect(d, k);
	}
	*body = json_object();
	json_set(*body, "modules", list);
	json_set(*body, "totalModules", json_u64(n));
	return NULL;
}

void
modules_put_columns(struct json *body)
{
	struct json *list = json_array(), *column = json_object();

	json_set(column, "attributeName", json_string("buildId"));
	json_set(column, "label", json_string("Build ID"));
	json_set(column, "type", json_string("string"));
	json_add(list, column);
	json_set(body, "additionalModuleColumns", list);
}
