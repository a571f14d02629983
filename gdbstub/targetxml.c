/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target description ("Target Description Format" in the GDB manual).
 * lldb needs more attributes on a register: its encoding, format, offset in
 * the g packet, DWARF number and generic name. gdb ignores them, but would pay
 * for them: they are half of the document.
 */
#include "gdbstub/impl.h"

#include <string.h>

/* As gdb 13 has them (gdb/features/i386/64bit-*.xml), so that values print
 * the same. Types belong to the feature that uses them. */
#define VEC128 \
	"<vector id=\"v8bf16\" type=\"bfloat16\" count=\"8\"/>" \
	"<vector id=\"v8h\" type=\"ieee_half\" count=\"8\"/>" \
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>" \
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>" \
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>" \
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>" \
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>" \
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>" \
	"<union id=\"vec128\">" \
	"<field name=\"v8_bfloat16\" type=\"v8bf16\"/>" \
	"<field name=\"v8_half\" type=\"v8h\"/>" \
	"<field name=\"v4_float\" type=\"v4f\"/>" \
	"<field name=\"v2_double\" type=\"v2d\"/>" \
	"<field name=\"v16_int8\" type=\"v16i8\"/>" \
	"<field name=\"v8_int16\" type=\"v8i16\"/>" \
	"<field name=\"v4_int32\" type=\"v4i32\"/>" \
	"<field name=\"v2_int64\" type=\"v2i64\"/>" \
	"<field name=\"uint128\" type=\"uint128\"/></union>\n"

struct flag {
	const char *name;
	unsigned bit;
};
static const struct flag EFLAGS[] = {
	{ "CF", 0 },  { "", 1 },    { "PF", 2 },   { "AF", 4 },
	{ "ZF", 6 },  { "SF", 7 },  { "TF", 8 },   { "IF", 9 },
	{ "DF", 10 }, { "OF", 11 }, { "NT", 14 },  { "RF", 16 },
	{ "VM", 17 }, { "AC", 18 }, { "VIF", 19 }, { "VIP", 20 },
	{ "ID", 21 }, { NULL, 0 },
};
static const struct flag MXCSR[] = {
	{ "IE", 0 },  { "DE", 1 },  { "ZE", 2 },  { "OE", 3 },
	{ "UE", 4 },  { "PE", 5 },  { "DAZ", 6 }, { "IM", 7 },
	{ "DM", 8 },  { "ZM", 9 },  { "OM", 10 }, { "UM", 11 },
	{ "PM", 12 }, { "FZ", 15 }, { NULL, 0 },
};

/** A type that some feature defines, as text or as flags of 4 bytes. */
struct type_row {
	const char *feature, *id, *text;
	const struct flag *flags;
};
static const struct type_row TYPES[] = {
	{ "org.gnu.gdb.i386.core", "i386_eflags", NULL, EFLAGS },
	{ "org.gnu.gdb.i386.sse", "vec128", VEC128, NULL },
	{ "org.gnu.gdb.i386.sse", "i386_mxcsr", NULL, MXCSR },
	{ "org.gnu.gdb.i386.avx512", "vec128", VEC128, NULL },
	{ "org.gnu.gdb.i386.avx512", "v2ui128",
	  "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>\n", NULL },
};

static void
put_flags(struct buf *out, const struct type_row *t)
{
	buf_printf(out, "<flags id=\"%s\" size=\"4\">", t->id);
	for (const struct flag *f = t->flags; f->name; f++)
		buf_printf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\" "
			   "type=\"bool\"/>", f->name, f->bit, f->bit);
	buf_puts(out, "</flags>\n");
}

static void
put_types(struct buf *out, const char *feature)
{
	for (size_t k = 0; k < countof(TYPES); k++) {
		if (strcmp(TYPES[k].feature, feature) != 0)
			continue;
		if (TYPES[k].flags)
			put_flags(out, &TYPES[k]);
		else
			buf_puts(out, TYPES[k].text);
	}
}

static void
put_attribute(struct buf *out, const char *name, const char *value)
{
	if (value)
		buf_printf(out, " %s=\"%s\"", name, value);
}

static void
put_lldb(struct buf *out, const struct reg *r, size_t number, size_t offset)
{
	buf_printf(out, " regnum=\"%zu\" offset=\"%zu\"", number, offset);
	put_attribute(out, "generic", r->generic);
	put_attribute(out, "encoding", r->encoding);
	put_attribute(out, "format", r->format);
	if (r->dwarf >= 0)
		buf_printf(out, " dwarf_regnum=\"%d\" ehframe_regnum=\"%d\"",
			   r->dwarf, r->dwarf);
}

static void
put_reg(struct buf *out, const struct reg *r)
{
	buf_printf(out, "<reg name=\"%s\" bitsize=\"%u\"", r->name, r->bits);
	put_attribute(out, "type", r->type);
	put_attribute(out, "group", r->group);
}

/* Registers of one feature stand together in the table, in gdb's order. */
struct err *
targetxml_render(const struct inferior *f, enum dialect dialect,
		 struct buf *out)
{
	size_t n, offset = 0;
	const struct reg *regs = insp_regs(f->insp, &n);
	const char *feature = NULL;

	buf_printf(out, "<?xml version=\"1.0\"?>\n"
		   "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n"
		   "<architecture>%s</architecture>\n",
		   insp_arch(f->insp)->gdb_name);
	if (insp_target(f->insp)->process.os == SNAP_OS_LINUX)
		buf_puts(out, "<osabi>GNU/Linux</osabi>\n");
	for (size_t k = 0; k < n; k++) {
		if (!feature || strcmp(feature, regs[k].feature) != 0) {
			buf_printf(out, "%s<feature name=\"%s\">\n",
				   feature ? "</feature>\n" : "",
				   regs[k].feature);
			feature = regs[k].feature;
			put_types(out, feature);
		}
		put_reg(out, &regs[k]);
		if (dialect == DIALECT_LLDB)
			put_lldb(out, &regs[k], k, offset);
		buf_puts(out, "/>\n");
		offset += regs[k].bits / 8;
	}
	buf_printf(out, "%s</target>\n", feature ? "</feature>\n" : "");
	return NULL;
}
