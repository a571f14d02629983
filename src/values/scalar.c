/* SPDX-License-Identifier: Apache-2.0 */
/* Values that have no parts: numbers, enumerators, pointers, functions. */
#include "values/show.h"

#include <elf.h>
#include <string.h>

/* ---- absence --------------------------------------------------------------- */
void
scalar_put_absence(struct buf *out, enum value_state state, const char *why)
{
	switch (state) {
	case VALUE_OPTIMISED_OUT:
		buf_puts(out, "<optimized out>");
		break;
	case VALUE_NOT_CAPTURED:
		buf_printf(out, "<not captured: %s>", why ? why : "");
		break;
	default:
		buf_printf(out, "<error: %s>", why ? why : "not known");
	}
}

void
scalar_put_unmapped(struct buf *out, uint64_t addr)
{
	buf_printf(out, "<error: Cannot access memory at address 0x%llx>",
		   (unsigned long long)addr);
}

void
scalar_put_error(struct buf *out, const struct value *v, const struct err *err)
{
	const char *text = err_text(err);

	if (err_kind(err) == ERR_UNMAPPED && v->place == PLACE_MEMORY)
		scalar_put_unmapped(out, v->address);
	else if (strcmp(text, "not allocated") == 0
	    || strcmp(text, "not associated") == 0)
		buf_printf(out, "<%s>", text);
	else
		scalar_put_absence(out, state_of(err), text);
}

/* ---- numbers -------------------------------------------------------------- */
void
scalar_put_wide(struct buf *out, unsigned __int128 v, bool is_signed)
{
	char digits[48];
	size_t at = sizeof(digits);

	if (is_signed && (__int128)v < 0) {
		buf_putc(out, '-');
		v = 0 - v;
	}
	do {
		digits[--at] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v);
	buf_put(out, digits + at, sizeof(digits) - at);
}

static void
put_radix(struct buf *out, unsigned __int128 v, unsigned shift)
{
	char digits[130];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[v & ((1u << shift) - 1)];
		v >>= shift;
	} while (v);
	buf_put(out, digits + at, sizeof(digits) - at);
}

static unsigned __int128
masked(unsigned __int128 v, uint64_t bits)
{
	return bits == 0 || bits >= 128 ? v
	       : v & (((unsigned __int128)1 << bits) - 1);
}

/* ---- addresses ------------------------------------------------------------ */
/* Only labels of code have names without a size. */
static bool
is_code(struct values *vs, uint64_t addr)
{
	struct region r;

	space_region(vs->space, addr, &r);
	return r.map && r.map->perm & SNAP_PERM_X;
}

/* Rust's names end in a hash that nobody wrote: "::h" and 16 digits; those of
 * variables within functions in a number: "calls.0". */
static size_t
name_length(const char *name, bool code)
{
	size_t n = strlen(name), digits = n;

	while (!code && digits && name[digits - 1] >= '0'
	       && name[digits - 1] <= '9')
		digits--;
	if (!code && digits > 1 && digits < n && name[digits - 1] == '.')
		return digits - 1;
	if (n <= 19 || memcmp(name + n - 19, "::h", 3) != 0
	    || strspn(name + n - 16, "0123456789abcdef") != 16)
		return n;
	return n - 19;
}

static void
put_type_tight(struct buf *out, struct values *vs, size_t module,
	       uint32_t ref)
{
	const struct type *t;
	_buf_ struct buf name = { 0 };
	_err_ struct err *err = type_by_ref(vs, module, ref, &t);
	_err_ struct err *unnamed = err ? NULL : type_name(t, &name);

	for (size_t n = 0; n < name.len; n++)
		if (name.data[n] != ' ' || n + 1 == name.len
		    || !strchr("*&", name.data[n + 1]))
			buf_putc(out, name.data[n]);
}

/** The function that debug information has at @addr, if it begins there. */
static const struct sym_body *
function_at(struct values *vs, uint64_t addr, struct arena *a,
	    struct sym_unit *unit)
{
	struct module *m = values_module(vs, insp_module_at(vs->insp, addr));
	uint32_t f = m ? symidx_function_at(m->ix, addr - m->bias) : SYM_NONE;
	const struct sym_body *body = NULL;

	if (f == SYM_NONE || !a)
		return NULL;
	_err_ struct err *err = symidx_body(m->ix, f, a, &body);
	_err_ struct err *no_unit = err ? NULL : symidx_unit(m->ix, body->unit,
							    unit);
	if (err || no_unit || !body->n_blocks || !body->blocks[0].n_ranges
	    || body->blocks[0].ranges[0].start != addr - m->bias)
		return NULL;
	return body;
}

static void
put_parameters(struct buf *out, struct values *vs, size_t module,
	       const struct sym_body *body)
{
	unsigned count = 0;

	buf_putc(out, '(');
	for (uint32_t n = 0; n < body->blocks[0].n_variables; n++) {
		uint64_t nth = (uint64_t)body->blocks[0].first_variable + n;

		if (nth >= body->n_variables
		    || !(body->variables[nth].flags & SYM_PARAMETER))
			continue;
		buf_puts(out, count++ ? ", " : "");
		put_type_tight(out, vs, module, body->variables[nth].type);
	}
	buf_putc(out, ')');
}

/*
 * A function whose symbol is not mangled: of C++, as main, it has parameters;
 * of C, the compiler may have put ".isra.0" behind its name.
 */
static void
put_plain_function(struct buf *out, struct values *vs, const struct symbol *s)
{
	_arena_ struct arena *a = arena_new(0);
	struct sym_unit unit;
	const struct sym_body *body = function_at(vs, s->address, a, &unit);
	enum lang lang = body ? lang_of(unit.language) : LANG_IS_GO;
	struct symidx *ix = values_index(vs, s->module);
	const char *name = lang == LANG_IS_C && strchr(s->name, '.') && ix ?
			   symidx_string(ix, body->blocks[0].name) : NULL;

	name = name ? name : s->name;
	buf_escape(out, name, name_length(name, true));
	if (lang == LANG_IS_CXX)
		put_parameters(out, vs, s->module, body);
}

bool
scalar_put_symbol(struct buf *out, struct values *vs, uint64_t addr)
{
	struct symbol s;
	_err_ struct err *err = insp_symbol(vs->insp, addr, &s);

	if (err || !s.name || addr < s.address)
		return false;
	bool code = is_code(vs, addr);
	if (s.size ? addr - s.address >= s.size : !code)
		return false;
	buf_puts(out, " <");
	if (code && strcmp(s.name, s.linkage) == 0)
		put_plain_function(out, vs, &s);
	else
		buf_escape(out, s.name, name_length(s.name, code));
	if (addr != s.address)
		buf_printf(out, "+%llu",
			   (unsigned long long)(addr - s.address));
	buf_putc(out, '>');
	return true;
}

void
scalar_put_address(struct buf *out, struct values *vs, uint64_t addr)
{
	buf_printf(out, "0x%llx", (unsigned long long)addr);
	scalar_put_symbol(out, vs, addr);
}

/* ---- formats -------------------------------------------------------------- */
struct formatted {
	struct buf *out;
	const struct value *v;
	const struct type *plain;
	unsigned __int128 bits;         /* as extended by the type */
	uint64_t size;
	bool is_signed;
};

static void
put_hex(struct formatted *f)
{
	buf_puts(f->out, "0x");
	put_radix(f->out, masked(f->bits, 8 * f->size), 4);
}

static void
put_hex_padded(struct formatted *f)
{
	uint64_t digits = 2 * f->size;
	unsigned __int128 v = masked(f->bits, 8 * f->size);

	buf_puts(f->out, "0x");
	for (; digits > 1 && !(v >> 4 * (digits - 1)); digits--)
		buf_putc(f->out, '0');
	put_radix(f->out, v, 4);
}

static void
put_octal(struct formatted *f)
{
	unsigned __int128 v = masked(f->bits, 8 * f->size);

	if (v)
		buf_putc(f->out, '0');
	put_radix(f->out, v, 3);
}

static void
put_binary(struct formatted *f)
{
	put_radix(f->out, masked(f->bits, 8 * f->size), 1);
}

static void
put_decimal(struct formatted *f)
{
	unsigned up = (unsigned)(128 - 8 * f->size);
	__int128 v = f->size < 16 ? (__int128)(f->bits << up) >> up
		     : (__int128)f->bits;

	scalar_put_wide(f->out, (unsigned __int128)v, true);
}

static void
put_unsigned(struct formatted *f)
{
	scalar_put_wide(f->out, masked(f->bits, 8 * f->size), false);
}

static void
put_character(struct formatted *f)
{
	unsigned width = f->size == 2 || f->size == 4 ? (unsigned)f->size : 1;

	if (type_is_text(f->v->type) && f->size != 1) {
		put_unsigned(f);
	} else {
		f->size = 1;
		width = 1;
		if (f->is_signed)
			put_decimal(f);
		else
			put_unsigned(f);
	}
	buf_putc(f->out, ' ');
	chars_put_one(f->out, (uint32_t)f->bits, width, "");
}

static void
put_as_address(struct formatted *f)
{
	scalar_put_address(f->out, f->v->vs, (uint64_t)f->bits);
}

static void
put_as_float(struct formatted *f)
{
	if (f->size == 4 || f->size == 8 || f->size == 16)
		float_put(f->out, &f->bits, f->size, false);
	else if (f->is_signed)
		put_decimal(f);
	else
		put_unsigned(f);
}

static const struct format_row {
	char letter;
	void (*put)(struct formatted *f);
} FORMATS[] = {
	{ 'x', put_hex }, { 'z', put_hex_padded }, { 'o', put_octal },
	{ 't', put_binary }, { 'd', put_decimal }, { 'u', put_unsigned },
	{ 'c', put_character }, { 'a', put_as_address },
	{ 'f', put_as_float },
};

static bool
can_format(const struct type *p)
{
	return type_is_integral(p) || type_is_pointer(p) || type_is_float(p)
	       || type_is_reference(p);
}

/** Did a format letter show it? */
static bool
put_formatted(struct buf *out, const struct value *v, const struct type *p,
	      char letter)
{
	struct formatted f = { .out = out, .v = v, .plain = p,
			       .size = type_size(p),
			       .is_signed = type_is_signed(p) };

	/* A record may say that a number has no bytes, or many. */
	if (!letter || letter == 's' || !can_format(p) || !f.size
	    || f.size > sizeof(f.bits))
		return false;
	_err_ struct err *err = value_wide(v, &f.bits);
	if (err) {
		scalar_put_error(out, v, err);
		return true;
	}
	if (letter == 'f' && type_is_float(p))
		return false;
	if (v->bits)
		f.bits = f.is_signed ? f.bits : masked(f.bits, v->bits);
	for (size_t n = 0; n < countof(FORMATS); n++)
		if (FORMATS[n].letter == letter) {
			FORMATS[n].put(&f);
			return true;
		}
	return false;
}

/* ---- kinds of types ------------------------------------------------------- */
static void
put_integer(struct buf *out, const struct value *v, const struct type *p,
	    unsigned __int128 bits)
{
	scalar_put_wide(out, bits, type_is_signed(p));
	if (!type_is_text(v->type))
		return;
	uint64_t size = type_size(p);
	buf_putc(out, ' ');
	chars_put_one(out, (uint32_t)bits, size == 2 || size == 4 ?
		      (unsigned)size : 1, chars_prefix(v->type));
}

static void
put_bool(struct buf *out, unsigned __int128 bits)
{
	if (bits < 2)
		buf_puts(out, bits ? "true" : "false");
	else
		scalar_put_wide(out, bits, true);
}

/* Of 16 bytes there are two formats: the name tells on x86, elsewhere all
 * are of the one kind. */
static bool
is_quad(struct values *vs, const struct type *p)
{
	const char *name = type_plain_name(p);

	return insp_arch(vs->insp)->machine != EM_X86_64
	       || (name && (strstr(name, "loat128")
			    || strcmp(name, "real(kind=16)") == 0));
}

static void
put_real(struct buf *out, const struct value *v, uint64_t off, uint64_t size)
{
	const struct type *p = type_plain(v->type);
	uint8_t bytes[16] = { 0 };
	_err_ struct err *err = size <= 16 ? value_read(v, off, size, bytes)
				: err_new(ERR_UNSUPPORTED, "too wide");

	if (err)
		scalar_put_error(out, v, err);
	else if (p->sym->encoding != ATE_DECIMAL_FLOAT
		 || !float_put_decimal(out, bytes, size))
		float_put(out, bytes, size, is_quad(v->vs, p));
}

static void
put_complex(struct buf *out, const struct value *v, const struct type *p)
{
	uint64_t half = p->size / 2;

	put_real(out, v, 0, half);
	buf_puts(out, " + ");
	put_real(out, v, half, half);
	buf_putc(out, 'i');
}

static void
put_base(struct buf *out, const struct value *v, const struct type *p)
{
	unsigned __int128 bits;

	if (p->sym->encoding == ATE_FLOAT
	    || p->sym->encoding == ATE_DECIMAL_FLOAT) {
		put_real(out, v, 0, p->size);
		return;
	}
	if (p->sym->encoding == ATE_COMPLEX_FLOAT) {
		put_complex(out, v, p);
		return;
	}
	_err_ struct err *err = value_wide(v, &bits);
	if (err)
		scalar_put_error(out, v, err);
	else if (p->sym->encoding == ATE_BOOLEAN)
		put_bool(out, bits);
	else if (p->sym->encoding == ATE_ADDRESS)
		scalar_put_address(out, v->vs, (uint64_t)bits);
	else
		put_integer(out, v, p, bits);
}

/* ---- enumerators ---------------------------------------------------------- */
static bool
is_flags(const struct type *p)
{
	const struct sym_type *s = p->sym;
	struct type *known = (struct type *)p;

	if (p->flags_known)
		return p->is_flags;
	known->flags_known = true;
	for (size_t n = 0; n < s->n_enumerators; n++)
		if ((int64_t)s->enumerators[n].value < 0
		    || __builtin_popcountll(s->enumerators[n].value) > 1)
			return false;
	return known->is_flags = true;
}

static void
put_enumerator(struct buf *out, const struct type *p, size_t n)
{
	const char *name = type_string(p, p->sym->enumerators[n].name);
	const char *prefix = p->sym->flags & SYM_TYPE_ENUM_CLASS
			     || p->lang == LANG_IS_RUST ?
			     type_qualified(p) : p->lang == LANG_IS_C ? NULL :
			     type_string(p, p->sym->prefix);

	if (prefix && prefix[0]) {
		buf_escape(out, prefix, strlen(prefix));
		buf_puts(out, "::");
	}
	if (name)
		buf_escape(out, name, strlen(name));
}

static void
put_flags(struct buf *out, const struct type *p, uint64_t v)
{
	const struct sym_type *s = p->sym;
	const char *before = "(";

	if (v == 0) {
		buf_putc(out, '0');
		return;
	}
	for (size_t n = 0; n < s->n_enumerators; n++) {
		if (!(v & s->enumerators[n].value))
			continue;
		v &= ~s->enumerators[n].value;
		buf_puts(out, before);
		put_enumerator(out, p, n);
		before = " | ";
	}
	if (v)
		buf_printf(out, "%sunknown: 0x%llx", before,
			   (unsigned long long)v);
	buf_putc(out, ')');
}

static void
put_enum(struct buf *out, const struct value *v, const struct type *p)
{
	const struct sym_type *s = p->sym;
	unsigned __int128 bits;
	_err_ struct err *err = value_wide(v, &bits);

	if (err) {
		scalar_put_error(out, v, err);
		return;
	}
	for (size_t n = 0; n < s->n_enumerators; n++)
		if (s->enumerators[n].value == (uint64_t)bits) {
			put_enumerator(out, p, n);
			return;
		}
	if (is_flags(p))
		put_flags(out, p, (uint64_t)bits);
	else
		scalar_put_wide(out, bits, true);
}

/* ---- pointers ------------------------------------------------------------- */
static void
put_pointer(struct buf *out, const struct value *v, const struct type *p,
	    const struct value_style *style)
{
	const struct type *target = type_target(p);
	unsigned __int128 bits;

	if (value_synthetic(v)) {
		buf_puts(out, "<synthetic pointer>");
		return;
	}
	_err_ struct err *err = value_wide(v, &bits);
	if (err) {
		scalar_put_error(out, v, err);
		return;
	}
	scalar_put_address(out, v->vs, (uint64_t)bits);
	if (bits && target && type_is_text(target)) {
		buf_putc(out, ' ');
		chars_put_pointed(out, v->vs, target, (uint64_t)bits, style);
	}
}

static void
put_function(struct buf *out, const struct value *v)
{
	buf_putc(out, '{');
	_err_ struct err *err = type_name(v->type, out);
	buf_puts(out, "} ");
	scalar_put_address(out, v->vs, v->address);
}

static void
put_unspecified(struct buf *out, const struct value *v)
{
	uint64_t number;
	_err_ struct err *err = value_u64(v, &number);

	if (err)
		buf_puts(out, "<unspecified>");
	else
		buf_printf(out, "0x%llx", (unsigned long long)number);
}

void
scalar_put(struct buf *out, const struct value *v,
	   const struct value_style *style)
{
	const struct type *p = type_plain(v->type);

	if (put_formatted(out, v, p, style->format))
		return;
	switch (type_kind(p)) {
	case 0:
		buf_puts(out, "void");
		break;
	case SYM_TYPE_BASE:
		put_base(out, v, p);
		break;
	case SYM_TYPE_ENUM:
		put_enum(out, v, p);
		break;
	case SYM_TYPE_POINTER:
		put_pointer(out, v, p, style);
		break;
	case SYM_TYPE_MEMBER_POINTER:
		cxx_put_member_pointer(out, v);
		break;
	case SYM_TYPE_FUNCTION:
		put_function(out, v);
		break;
	case SYM_TYPE_UNSPECIFIED:
		put_unspecified(out, v);
		break;
	default:
		buf_puts(out, "<unknown type>");
	}
}
