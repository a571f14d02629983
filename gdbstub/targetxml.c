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

/* gdb/features/aarch64-fpu.xml */
#define AARCH64V \
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>" \
	"<vector id=\"v2u\" type=\"uint64\" count=\"2\"/>" \
	"<vector id=\"v2i\" type=\"int64\" count=\"2\"/>" \
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>" \
	"<vector id=\"v4u\" type=\"uint32\" count=\"4\"/>" \
	"<vector id=\"v4i\" type=\"int32\" count=\"4\"/>" \
	"<vector id=\"v8f\" type=\"ieee_half\" count=\"8\"/>" \
	"<vector id=\"v8u\" type=\"uint16\" count=\"8\"/>" \
	"<vector id=\"v8i\" type=\"int16\" count=\"8\"/>" \
	"<vector id=\"v8bf16\" type=\"bfloat16\" count=\"8\"/>" \
	"<vector id=\"v16u\" type=\"uint8\" count=\"16\"/>" \
	"<vector id=\"v16i\" type=\"int8\" count=\"16\"/>" \
	"<vector id=\"v1u\" type=\"uint128\" count=\"1\"/>" \
	"<vector id=\"v1i\" type=\"int128\" count=\"1\"/>" \
	"<union id=\"vnd\"><field name=\"f\" type=\"v2d\"/>" \
	"<field name=\"u\" type=\"v2u\"/>" \
	"<field name=\"s\" type=\"v2i\"/></union>" \
	"<union id=\"vns\"><field name=\"f\" type=\"v4f\"/>" \
	"<field name=\"u\" type=\"v4u\"/>" \
	"<field name=\"s\" type=\"v4i\"/></union>" \
	"<union id=\"vnh\"><field name=\"bf\" type=\"v8bf16\"/>" \
	"<field name=\"f\" type=\"v8f\"/>" \
	"<field name=\"u\" type=\"v8u\"/>" \
	"<field name=\"s\" type=\"v8i\"/></union>" \
	"<union id=\"vnb\"><field name=\"u\" type=\"v16u\"/>" \
	"<field name=\"s\" type=\"v16i\"/></union>" \
	"<union id=\"vnq\"><field name=\"u\" type=\"v1u\"/>" \
	"<field name=\"s\" type=\"v1i\"/></union>" \
	"<union id=\"aarch64v\"><field name=\"d\" type=\"vnd\"/>" \
	"<field name=\"s\" type=\"vns\"/><field name=\"h\" type=\"vnh\"/>" \
	"<field name=\"b\" type=\"vnb\"/><field name=\"q\" type=\"vnq\"/>" \
	"</union>\n"

/** Of one bit, or of those up to @end. */
struct flag {
	const char *name;
	unsigned bit, end;
};
#define BIT(name, n) { name, n, n }
#define END { NULL, 0, 0 }
static const struct flag EFLAGS[] = {
	BIT("CF", 0), BIT("", 1), BIT("PF", 2), BIT("AF", 4), BIT("ZF", 6),
	BIT("SF", 7), BIT("TF", 8), BIT("IF", 9), BIT("DF", 10), BIT("OF", 11),
	BIT("NT", 14), BIT("RF", 16), BIT("VM", 17), BIT("AC", 18),
	BIT("VIF", 19), BIT("VIP", 20), BIT("ID", 21), END,
};
static const struct flag MXCSR[] = {
	BIT("IE", 0), BIT("DE", 1), BIT("ZE", 2), BIT("OE", 3), BIT("UE", 4),
	BIT("PE", 5), BIT("DAZ", 6), BIT("IM", 7), BIT("DM", 8), BIT("ZM", 9),
	BIT("OM", 10), BIT("UM", 11), BIT("PM", 12), BIT("FZ", 15), END,
};
static const struct flag CPSR[] = {
	BIT("SP", 0), { "EL", 2, 3 }, BIT("nRW", 4), BIT("F", 6), BIT("I", 7),
	BIT("A", 8), BIT("D", 9), { "BTYPE", 10, 11 }, BIT("SSBS", 12),
	BIT("IL", 20), BIT("SS", 21), BIT("PAN", 22), BIT("UAO", 23),
	BIT("DIT", 24), BIT("TCO", 25), BIT("V", 28), BIT("C", 29),
	BIT("Z", 30), BIT("N", 31), END,
};
static const struct flag FPSR[] = {
	BIT("IOC", 0), BIT("DZC", 1), BIT("OFC", 2), BIT("UFC", 3),
	BIT("IXC", 4), BIT("IDC", 7), BIT("QC", 27), BIT("V", 28), BIT("C", 29),
	BIT("Z", 30), BIT("N", 31), END,
};
static const struct flag FPCR[] = {
	BIT("FIZ", 0), BIT("AH", 1), BIT("NEP", 2), BIT("IOE", 8),
	BIT("DZE", 9), BIT("OFE", 10), BIT("UFE", 11), BIT("IXE", 12),
	BIT("EBF", 13), BIT("IDE", 15), { "Len", 16, 18 }, BIT("FZ16", 19),
	{ "Stride", 20, 21 }, { "RMode", 22, 23 }, BIT("FZ", 24), BIT("DN", 25),
	BIT("AHP", 26), END,
};

/** A type that some feature defines, as text or as flags of 4 bytes. */
struct type_row {
	const char *feature, *id, *text;
	const struct flag *flags;
};
static const struct type_row TYPES[] = {
	{ "org.gnu.gdb.aarch64.core", "cpsr_flags", NULL, CPSR },
	{ "org.gnu.gdb.aarch64.fpu", "aarch64v", AARCH64V, NULL },
	{ "org.gnu.gdb.aarch64.fpu", "fpsr_flags", NULL, FPSR },
	{ "org.gnu.gdb.aarch64.fpu", "fpcr_flags", NULL, FPCR },
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
			   "type=\"%s\"/>", f->name, f->bit, f->end,
			   f->end > f->bit ? "uint32" : "bool");
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

/* As lldb's own server names them; gdb's name works there, too. */
static const struct {
	const char *gdb, *lldb;
} WORDS[] = {
	{ "eflags", "rflags" },
	{ "general", "General Purpose Registers" },
	{ "float", "Floating Point Registers" },
	{ "sse", "Floating Point Registers" },
	{ "vector", "Advanced Vector Extensions" },
};

static const char *
word_for(enum dialect dialect, const char *word)
{
	for (size_t k = 0; k < countof(WORDS) && word; k++)
		if (dialect == DIALECT_LLDB && strcmp(WORDS[k].gdb, word) == 0)
			return WORDS[k].lldb;
	return word;
}

static void
put_reg(struct buf *out, const struct reg *r, enum dialect dialect)
{
	const char *name = word_for(dialect, r->name);

	buf_printf(out, "<reg name=\"%s\" bitsize=\"%u\"", name, r->bits);
	put_attribute(out, "altname", name != r->name ? r->name : NULL);
	put_attribute(out, "type", r->type);
	put_attribute(out, "group", word_for(dialect, r->group));
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
		put_reg(out, &regs[k], dialect);
		if (dialect == DIALECT_LLDB)
			put_lldb(out, &regs[k], k, offset);
		buf_puts(out, "/>\n");
		offset += regs[k].bits / 8;
	}
	buf_printf(out, "%s</target>\n", feature ? "</feature>\n" : "");
	return NULL;
}
