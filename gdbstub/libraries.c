/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of shared libraries ("Library List Format for SVR4 Targets" in the
 * GDB manual), in the dynamic linker's order.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <string.h>

/*
 * The name that the program itself used, so that a debugger says what it says
 * on the core; a relative one would be looked for in the wrong directory.
 */
const char *
libraries_name(const struct snap_module *m)
{
	if (m->n_names && m->names[0][0] == '/')
		return m->names[0];
	if (m->path)
		return m->path;
	return m->n_names ? m->names[0] : NULL;
}

bool
libraries_is_one(const struct snap_module *m)
{
	const uint32_t others = SNAP_MODULE_MAIN | SNAP_MODULE_VDSO;

	return !(m->flags & others) && m->dynamic && libraries_name(m);
}

void
libraries_put(struct buf *out, const struct snap_module *m, const char *name,
	      const struct library *where)
{
	buf_puts(out, "<library name=\"");
	buf_xml(out, name, strlen(name));
	buf_printf(out, "\" lm=\"0x%" PRIx64 "\" l_addr=\"0x%" PRIx64
		   "\" l_ld=\"0x%" PRIx64 "\" lmid=\"0x%" PRIx64 "\"/>\n",
		   where->link_map, m->bias, m->dynamic, where->space);
}

/* gdb 13.1 requires "lmid"; 0 is the namespace of older stubs, which knew
 * none. */
static void
put_library(struct buf *out, const struct snap_module *m, const char *name)
{
	libraries_put(out, m, name, &(struct library){ m->link_map, 0 });
}

static void
put_libraries(const struct inferior *f, struct buf *out)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if (libraries_is_one(&m[k]))
			put_library(out, &m[k], libraries_name(&m[k]));
}

struct err *
libraries_render(const struct inferior *f, enum dialect dialect,
		 struct buf *out)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	buf_puts(out, "<library-list-svr4 version=\"1.0\"");
	for (size_t k = 0; k < n; k++)
		if ((m[k].flags & SNAP_MODULE_MAIN) && m[k].link_map)
			buf_printf(out, " main-lm=\"0x%" PRIx64 "\"",
				   m[k].link_map);
	buf_puts(out, ">\n");
	if (dialect == DIALECT_LLDB)
		jmodules_put(f, out);
	else if (namespaces_several(f))
		namespaces_put(f, out);
	else
		put_libraries(f, out);
	buf_puts(out, "</library-list-svr4>\n");
	return NULL;
}
