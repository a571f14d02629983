/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules as lldb asks for them: where a file is loaded, and under which
 * build-id it is known.
 */
#include "base/json.h"
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <string.h>

/*
 * lldb opens the file of a name and does not compare its build-id: a program
 * that was built anew would give its names to the old one. Where the right file
 * is not on this machine the name is one that no file has; lldb then shows the
 * module without names, or fetches it through a platform.
 */
static const char captured[] = " (captured)";

static bool
is_here(const struct inferior *f, size_t module)
{
	enum module_file kind = insp_module_file_kind(f->insp, module);

	return kind == MODULE_FILE_EXACT || kind == MODULE_FILE_UNVERIFIED;
}

static void
put_name(const struct inferior *f, size_t module, const char *name,
	 struct buf *out)
{
	buf_puts(out, name);
	if (!is_here(f, module))
		buf_puts(out, captured);
}

/** Take what was added to a name off again. */
static struct span
plain_name(struct span name)
{
	size_t n = sizeof(captured) - 1;

	if (name.n > n && memcmp((const char *)name.data + name.n - n,
				 captured, n) == 0)
		name.n -= n;
	return name;
}

static size_t
module_named(const struct inferior *f, struct span path)
{
	struct span plain = plain_name(path);
	_buf_ struct buf name = { 0 };

	buf_put(&name, plain.data, plain.n);
	if (name.failed || !name.len || strlen(name.data) != name.len)
		return INSP_NONE;
	return insp_module_named(f->insp, name.data);
}

/* ---- the list of libraries ----------------------------------------------- */
static void
put_library(const struct inferior *f, size_t k, const char *name,
	    struct buf *out)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n) + k;
	_buf_ struct buf shown = { 0 };

	if (m->flags & SNAP_MODULE_VDSO)
		buf_puts(&shown, name);
	else
		put_name(f, k, name, &shown);
	out->failed |= shown.failed;
	if (!shown.failed)
		libraries_put(out, m, shown.data,
			      &(struct library){ m->link_map, 0 });
}

static void
put_flagged(const struct inferior *f, uint32_t flag, const char *name,
	    struct buf *out)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if ((m[k].flags & flag) && (name || m[k].path))
			put_library(f, k, name ? name : m[k].path, out);
}

/* A static program is loaded by lldb itself, and the vdso with it. */
static bool
is_dynamic(const struct inferior *f)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if (m[k].flags & SNAP_MODULE_MAIN)
			return m[k].dynamic;
	return false;
}

/*
 * lldb learns the executable from a process of this machine only, and takes
 * the first library for it where it knows none; then it does not look for the
 * vdso by itself. gdb does both, and would show them twice.
 */
void
jmodules_put(const struct inferior *f, struct buf *out)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	put_flagged(f, SNAP_MODULE_MAIN, NULL, out);
	if (is_dynamic(f))
		put_flagged(f, SNAP_MODULE_VDSO, "[vdso]", out);
	for (size_t k = 0; k < n; k++)
		if (libraries_is_one(&m[k]))
			put_library(f, k, libraries_name(&m[k]), out);
}

/* ---- what is asked of one ------------------------------------------------ */

/** Its build-id as lldb writes a UUID. */
static void
put_uuid(struct buf *out, const struct snap_module *m)
{
	for (size_t k = 0; k < m->id.len; k++)
		buf_printf(out, "%02X", m->id.bytes[k]);
}

static uint64_t
file_size(struct inferior *f, size_t module)
{
	struct source *source;
	size_t n;
	_err_ struct err *err = insp_module_file(f->insp, module, &source);

	return err ? insp_modules(f->insp, &n)[module].file_size
		   : source_size(source);
}

/* The address that its ELF header is at: lldb reads a file that it does not
 * find from there. */
struct err *
jmodules_load_address(struct stub *s, const struct args *a)
{
	struct inferior *f = stub_inferior(s);
	size_t n, k = module_named(f, a->v[0].bytes);
	const struct snap_module *m = insp_modules(f->insp, &n);

	if (k == INSP_NONE)
		return err_new(ERR_NOTFOUND, "no module of that name");
	buf_printf(&s->reply, "%" PRIx64, m[k].start);
	return NULL;
}

static void
put_hex_field(struct buf *out, const char *name, const struct buf *text)
{
	buf_printf(out, "%s:", name);
	buf_hex(out, text->data, text->len);
	buf_putc(out, ';');
	out->failed |= text->failed;
}

/* qModuleInfo: the file that was mapped under that name, which lldb then shows
 * and opens. */
struct err *
jmodules_info(struct stub *s, const struct args *a)
{
	struct inferior *f = stub_inferior(s);
	size_t n, k = module_named(f, a->v[0].bytes);
	const struct snap_module *m = insp_modules(f->insp, &n);
	_buf_ struct buf uuid = { 0 }, triple = { 0 }, path = { 0 };

	if (k == INSP_NONE || m[k].id.kind != ID_GNU_BUILD_ID)
		return err_new(ERR_NOTFOUND, "no module of that name");
	put_uuid(&uuid, &m[k]);
	lldb_put_triple(f, &triple);
	const struct span plain = plain_name(a->v[0].bytes);
	buf_put(&path, plain.data, plain.n);
	put_hex_field(&s->reply, "uuid", &uuid);
	put_hex_field(&s->reply, "triple", &triple);
	put_hex_field(&s->reply, "file_path", &path);
	buf_printf(&s->reply, "file_offset:0;file_size:%" PRIx64 ";",
		   file_size(f, k));
	return NULL;
}

static struct json *
describe(struct inferior *f, size_t module, const struct buf *triple)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n) + module;
	_buf_ struct buf uuid = { 0 }, name = { 0 };
	struct json *j = json_object();

	put_uuid(&uuid, m);
	put_name(f, module, libraries_name(m), &name);
	json_set(j, "file_path", json_string(name.failed ? NULL : name.data));
	json_set(j, "file_offset", json_u64(0));
	json_set(j, "file_size", json_u64(file_size(f, module)));
	json_set(j, "triple", json_string(triple->data));
	json_set(j, "uuid", json_string(uuid.data));
	return j;
}

/*
 * jModulesInfo: lldb takes of an answer what it asked for, so that the
 * question need not be read: all modules are told.
 */
struct err *
jmodules_list(struct stub *s, const struct args *a)
{
	struct inferior *f = stub_inferior(s);
	_buf_ struct buf triple = { 0 };
	struct json *list = json_array();
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	(void)a;
	lldb_put_triple(f, &triple);
	for (size_t k = 0; k < n; k++)
		if (m[k].id.kind == ID_GNU_BUILD_ID && libraries_name(&m[k]))
			json_add(list, describe(f, k, &triple));
	return jthreads_put_json(s, list);
}
