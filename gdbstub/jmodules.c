/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules as lldb asks for them: where a file is loaded, and under which
 * build-id it is known.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <string.h>

/* lldb writes a path in hex. */
static size_t
module_named(const struct inferior *f, struct span path)
{
	_free_ char *name = strndup(path.data, path.n);

	return name && strlen(name) == path.n
	       ? insp_module_named(f->insp, name) : INSP_NONE;
}

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
	buf_put(&path, a->v[0].bytes.data, a->v[0].bytes.n);
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
	_buf_ struct buf uuid = { 0 };
	struct json *j = json_object();

	put_uuid(&uuid, m);
	json_set(j, "file_path", json_string(libraries_name(m)));
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
