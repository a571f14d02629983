/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The symbol indexes of a target's modules, and names out of them.
 */
#include "inspect/indexed.h"
#include "inspect/impl.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <string.h>

#define NAME_SLOTS 1024u                /* a power of two */
#define MADE_MAX (256u << 20)

struct index {
	bool asked;
	struct buf made;        /* of files that were attached, or empty */
	struct source *file;    /* owned */
	struct symidx *ix;      /* owned; NULL = none */
};

/** A name that was put together; their strings tell functions apart. */
struct name_slot {
	const struct symidx *ix;
	uint32_t prefix, name, linkage;
	const char *text;
};

struct indexes {
	struct index *modules;
	bool make;              /* of what came with the target */
	struct name_slot *names;
};

struct err *
indexed_init(struct insp *i)
{
	i->indexes = arena_alloc(i->arena, sizeof(*i->indexes));
	if (!i->indexes)
		return err_nomem();
	i->indexes->modules = arena_array(i->arena, i->n_modules,
					  sizeof(*i->indexes->modules));
	return i->n_modules && !i->indexes->modules ? err_nomem() : NULL;
}

/* ---- of one module ----------------------------------------------------------- */
/* A file without a build-id is told by which candidate for its path it was. */
static bool
index_question(struct insp *i, size_t module, struct supply_ask *ask)
{
	const struct snap_module *m = &i->modules[module];
	Elf *elf = files_elf(i, module);
	GElf_Word crc;

	*ask = (struct supply_ask){
		.kind = SUPPLY_INDEX, .id = m->id, .path = m->path,
		.link = elf ? dwelf_elf_gnu_debuglink(elf, &crc) : NULL,
	};
	if (m->id.kind == ID_NONE)
		return m->path && files_candidate(i, module, &ask->nth);
	return !(m->flags & SNAP_MODULE_VDSO);
}

static void
index_close(struct index *x)
{
	symidx_free(x->ix);
	source_free(x->file);
	x->ix = NULL;
	x->file = NULL;
}

static struct err *
ask_once(const struct supply *s, const struct supply_ask *ask,
	 struct source **file, struct symidx **ix)
{
	_source_ struct source *src = NULL;
	int fd;
	struct err *err = s->module(s->arg, ask, &fd);

	if (!err)
		err = source_fd(fd, "symbol index", &src);
	if (!err)
		err = symidx_open(src, ix);
	*file = err && err_kind(err) != ERR_DAMAGED
		&& err_kind(err) != ERR_FORMAT ? NULL : take(src);
	return err;
}

struct err *
indexed_ask(const struct supply *s, const struct supply_ask *ask,
	    struct source **file, struct symidx **ix)
{
	struct supply_ask again = *ask;
	struct err *err = ask_once(s, ask, file, ix);

	if (!err || !*file)
		return err;
	err_free(err);
	source_free(take(*file));
	again.kind = SUPPLY_SPOILT;
	err = ask_once(s, &again, file, ix);
	if (err)
		source_free(take(*file));
	return err;
}

static void
index_find(struct insp *i, size_t module, struct index *x)
{
	struct supply_ask ask;

	if (!i->supply || !index_question(i, module, &ask))
		return;
	_err_ struct err *err = indexed_ask(i->supply, &ask, &x->file, &x->ix);
	if (err || !id_equal(&symidx_about(x->ix)->id, &i->modules[module].id))
		index_close(x);
}

/* What turned out to be damaged while it was read is not left to the next. */
static void
index_complain(struct insp *i, size_t module)
{
	const struct index *x = &i->indexes->modules[module];
	struct supply_ask ask;
	_close_ int fd = -1;

	if (!i->supply || !x->ix || x->made.len || !symidx_spoilt(x->ix)
	    || !index_question(i, module, &ask))
		return;
	ask.kind = SUPPLY_SPOILT;
	err_free(i->supply->module(i->supply->arg, &ask, &fd));
}

void
indexed_fini(struct insp *i)
{
	for (size_t k = 0; i->indexes && k < i->n_modules; k++) {
		struct index *x = &i->indexes->modules[k];

		index_complain(i, k);
		symidx_free(x->ix);
		source_free(x->file);
		buf_fini(&x->made);
	}
}

/* ---- of what came with the target -------------------------------------------- */
static struct err *
index_write(void *arg, const void *data, size_t n)
{
	buf_put(arg, data, n);
	return buf_err(arg);
}

static bool
has_dwarf(const struct index *x)
{
	return x->ix && symidx_about(x->ix)->dwarf_size;
}

void
insp_make_indexes(struct insp *i)
{
	i->indexes->make = true;
}

/*
 * Debug information that was attached is nobody else's: the index of it is
 * made here, and not kept.
 */
static void
index_attached(struct insp *i, size_t module, struct index *x)
{
	const struct module_id *id = &i->modules[module].id;
	_source_ struct source *debug = NULL;
	struct symbols_input in = { 0 };
	struct index better = { 0 };
	struct span bytes;

	if (!attached_find(i, id, true, &bytes))
		return;
	_err_ struct err *err = source_mem(bytes.data, bytes.n, "debug file",
					   &debug);
	if (!err)
		err = insp_module_file(i, module, &in.file);
	in.debug = debug;
	better.made.max = MADE_MAX;
	if (!err)
		err = symbols_make(&in, index_write, &better.made);
	if (!err)
		err = source_mem(better.made.data, better.made.len,
				 "symbol index", &better.file);
	if (!err)
		err = symidx_open(better.file, &better.ix);
	index_close(err ? &better : x);
	if (err) {
		buf_fini(&better.made);
		return;
	}
	better.asked = true;
	*x = better;
}

struct symidx *
insp_index(struct insp *i, size_t module)
{
	struct index *x;

	if (module >= i->n_modules)
		return NULL;
	x = &i->indexes->modules[module];
	if (!x->asked) {
		x->asked = true;
		index_find(i, module, x);
		if (i->indexes->make && !has_dwarf(x))
			index_attached(i, module, x);
	}
	return x->ix;
}

struct symidx *
insp_index_sized(struct insp *i, size_t module, uint64_t *size)
{
	struct symidx *ix = insp_index(i, module);

	if (ix)
		*size = source_size(i->indexes->modules[module].file);
	return ix;
}

struct symidx *
insp_index_known(const struct insp *i, size_t module, bool *asked)
{
	const struct index *all = i->indexes->modules;

	*asked = module < i->n_modules && all[module].asked;
	return *asked ? all[module].ix : NULL;
}

struct symidx *
insp_index_at(struct insp *i, uint64_t addr, uint64_t *in_file)
{
	size_t module = insp_module_at(i, addr);
	struct symidx *ix = insp_index(i, module);

	if (ix)
		*in_file = addr - i->modules[module].bias;
	return ix;
}

/* ---- names -------------------------------------------------------------------- */
/* Their linkage names are for nobody else: Rust's end in a hash. */
static bool
has_odd_linkage(struct symidx *ix, uint32_t unit)
{
	static const uint16_t odd[] = {
		DW_LANG_Fortran77, DW_LANG_Fortran90, DW_LANG_Fortran95,
		DW_LANG_Fortran03, DW_LANG_Fortran08, DW_LANG_Rust,
	};
	struct sym_unit u;
	_err_ struct err *err = symidx_unit(ix, unit, &u);

	for (size_t k = 0; !err && k < countof(odd); k++)
		if (u.language == odd[k])
			return true;
	return false;
}

static const char *
name_make(struct insp *i, struct symidx *ix, const struct sym_frame *f)
{
	const char *linkage = symidx_string(ix, f->linkage);
	const char *prefix = symidx_string(ix, f->prefix);
	const char *name = symidx_string(ix, f->name);
	_buf_ struct buf b = { 0 };

	if (linkage && !(name && has_odd_linkage(ix, f->unit))) {
		const char *plain = symbols_demangled_bare(i, linkage);

		return plain ? plain : linkage;
	}
	if (!name)
		return NULL;
	if (prefix && prefix[0])
		buf_printf(&b, "%s::", prefix);
	buf_puts(&b, name);
	return b.failed ? NULL : arena_strndup(i->arena, b.data, b.len);
}

static struct name_slot *
name_slot(struct insp *i, const struct name_slot *want)
{
	struct indexes *x = i->indexes;
	uint64_t hash = ((uint64_t)want->linkage << 32 ^ want->name
			 ^ (uintptr_t)want->ix) * 0x9e3779b97f4a7c15ull;

	if (!x->names)
		x->names = arena_array(i->arena, NAME_SLOTS,
				       sizeof(*x->names));
	return x->names ? &x->names[hash >> 32 & (NAME_SLOTS - 1)] : NULL;
}

const char *
insp_function_name(struct insp *i, struct symidx *ix, const struct sym_frame *f)
{
	struct name_slot want = {
		.ix = ix, .prefix = f->prefix, .name = f->name,
		.linkage = f->linkage,
	};
	struct name_slot *s = name_slot(i, &want);

	if (!s)
		return NULL;
	if (s->ix != ix || s->prefix != f->prefix || s->name != f->name
	    || s->linkage != f->linkage) {
		want.text = name_make(i, ix, f);
		*s = want;
	}
	return s->text;
}
