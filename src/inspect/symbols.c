/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names through libdwfl, which gets every file from files.c and never opens a
 * path: in a jail that would be the end.
 */
#include "inspect/indexed.h"
#include "inspect/impl.h"
#include "inspect/tailsites.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_SLOTS 4096u               /* a power of two */
#define TABLE_WORTH 8u                  /* names asked for in a module */
#define MANGLED_MAX 4096u               /* the demangler is superlinear */

/** What libdwfl's callbacks are told of a module. */
struct module_view {
	struct insp *insp;
	size_t module;
	Dwfl_Module *dwfl;
	bool debug_asked;
	unsigned asked;         /* how often for a name */
	struct symtable *table; /* NULL until it is worth it, or if none */
};

struct symbol_slot {
	uint64_t addr;
	bool used, found;
	struct symbol symbol;
};

struct symbols {
	Dwfl *dwfl;
	struct module_view *views;
	struct symbol_slot *cache;
};

/* ---- libdwfl's callbacks ---------------------------------------------------- */
static int
find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
	 char **file_name, Elf **elfp)
{
	(void)mod, (void)base;
	struct module_view *v = *userdata;
	Elf *elf = v ? files_elf(v->insp, v->module) : NULL;

	*file_name = NULL;
	/* One more reference: libdwfl ends the one it is given. */
	*elfp = elf ? elf_begin(-1, ELF_C_READ_MMAP, elf) : NULL;
	if (*elfp)
		*file_name = strdup(name);
	return -1;
}

/* libdwfl asks for dwz alternates in the same way: those have other names. */
static bool
is_debuglink(Elf *elf, const char *link)
{
	GElf_Word crc;
	const char *name = link ? dwelf_elf_gnu_debuglink(elf, &crc) : NULL;

	return !link || (name && strcmp(name, link) == 0);
}

static int
find_debuginfo(Dwfl_Module *mod, void **userdata, const char *name,
	       Dwarf_Addr base, const char *file_name, const char *link,
	       GElf_Word crc, char **debug_name)
{
	(void)mod, (void)name, (void)base, (void)file_name, (void)crc;
	struct module_view *v = *userdata;
	Elf *elf = v ? files_elf(v->insp, v->module) : NULL;

	if (!elf || v->debug_asked || !is_debuglink(elf, link))
		return -1;
	v->debug_asked = true;
	int fd = debug_descriptor(v->insp, v->module);
	if (fd >= 0)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		*debug_name = strdup("debug file");
	return fd;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* ---- life ----------------------------------------------------------------------- */
static void
report_module(struct insp *i, size_t n)
{
	struct module_view *v = &i->symbols->views[n];
	const struct snap_module *m = &i->modules[n];
	const char *name = m->path ? m->path : "module";
	void **userdata;

	v->insp = i;
	v->module = n;
	if (m->start >= m->end)
		return;
	v->dwfl = dwfl_report_module(i->symbols->dwfl, name, m->start, m->end);
	if (!v->dwfl)
		return;
	dwfl_module_info(v->dwfl, &userdata, NULL, NULL, NULL, NULL, NULL,
			 NULL);
	*userdata = v;
}

struct err *
symbols_init(struct insp *i)
{
	struct symbols *s = i->symbols = arena_alloc(i->arena, sizeof(*s));

	if (!s)
		return err_nomem();
	s->views = arena_array(i->arena, i->n_modules, sizeof(*s->views));
	s->dwfl = dwfl_begin(&callbacks);
	if ((i->n_modules && !s->views) || !s->dwfl)
		return err_nomem();
	dwfl_report_begin(s->dwfl);
	for (size_t n = 0; n < i->n_modules; n++)
		report_module(i, n);
	dwfl_report_end(s->dwfl, NULL, NULL);
	return NULL;
}

void
symbols_fini(struct insp *i)
{
	if (i->symbols && i->symbols->dwfl)
		dwfl_end(i->symbols->dwfl);
}

Dwfl_Module *
symbols_module(struct insp *i, size_t module)
{
	if (module >= i->n_modules || !files_elf(i, module))
		return NULL;
	return i->symbols->views[module].dwfl;
}

/* ---- names -------------------------------------------------------------------------- */
/* glibc's own symbol table has "name@VERSION" and "name@@VERSION". */
static const char *
without_version(struct insp *i, const char *name)
{
	const char *at = strchr(name, '@');
	char *plain = at && at > name
		      ? arena_strndup(i->arena, name, (size_t)(at - name))
		      : NULL;

	return plain ? plain : name;
}

static char *
demangle(const char *linkage, int options)
{
	if (strnlen(linkage, MANGLED_MAX) == MANGLED_MAX)
		return NULL;
	return cplus_demangle(linkage, DMGL_AUTO | DMGL_ANSI | DMGL_VERBOSE
			      | options);
}

static const char *
demangle_kept(struct insp *i, const char *linkage, int options)
{
	_free_ char *plain = demangle(linkage, options);

	return plain ? arena_strdup(i->arena, plain) : NULL;
}

bool
insp_demangle(const char *linkage, struct buf *out)
{
	_free_ char *plain = demangle(linkage, DMGL_PARAMS);

	buf_puts(out, plain ? plain : "");
	return plain;
}

const char *
symbols_demangled(struct insp *i, const char *linkage)
{
	const char *plain = demangle_kept(i, linkage, DMGL_PARAMS);

	return plain ? plain : without_version(i, linkage);
}

const char *
symbols_demangled_bare(struct insp *i, const char *linkage)
{
	return demangle_kept(i, linkage, 0);
}

static bool
is_definition(const GElf_Sym *sym)
{
	return sym->st_shndx != SHN_UNDEF
	       && GELF_ST_TYPE(sym->st_info) != STT_SECTION
	       && GELF_ST_TYPE(sym->st_info) != STT_FILE;
}

/* "$x", "$d.7": whether code or data begins, and nobody's name ("ELF for the
 * Arm 64-bit Architecture", 5.5). */
static bool
is_mapping_symbol(const struct insp *i, const char *name)
{
	return i->arch->machine == EM_AARCH64 && name[0] == '$'
	       && (name[1] == 'x' || name[1] == 'd')
	       && (name[2] == '\0' || name[2] == '.');
}

/* libdwfl takes them for names where an assembler's function has no size. */
static const char *
name_beside_mapping(const struct insp *i, Dwfl_Module *mod, uint64_t at,
		    GElf_Off *off, GElf_Sym *sym)
{
	int n = dwfl_module_getsymtab(mod);
	const char *best = NULL;

	for (int k = 0; k < n; k++) {
		GElf_Sym s;
		GElf_Addr addr;
		const char *name = dwfl_module_getsym_info(mod, k, &s, &addr,
							   NULL, NULL, NULL);

		if (!name || !name[0] || !is_definition(&s) || addr > at
		    || s.st_shndx != sym->st_shndx
		    || (s.st_size && at - addr >= s.st_size)
		    || is_mapping_symbol(i, name)
		    || (best && at - addr >= *off))
			continue;
		best = name;
		*off = at - addr;
		*sym = s;
	}
	return best;
}

/* An index has no mapping symbols. */
/* As dwfl_module_addrinfo(), which is quick enough for few addresses. */
static const char *
name_at(struct insp *i, size_t module, uint64_t addr, GElf_Off *off,
	GElf_Sym *sym)
{
	struct module_view *v = &i->symbols->views[module];
	enum symtable_answer how = SYMTABLE_ASK;
	GElf_Addr value;
	uint32_t index = 0;

	if (++v->asked == TABLE_WORTH)
		v->table = symtable_new(v->dwfl, i->arena);
	if (v->table)
		how = symtable_find(v->table, addr, &index);
	if (how == SYMTABLE_NONE)
		return NULL;
	if (how == SYMTABLE_ASK)
		return dwfl_module_addrinfo(v->dwfl, addr, off, sym, NULL,
					    NULL, NULL);
	const char *name = dwfl_module_getsym_info(v->dwfl, (int)index, sym,
						   &value, NULL, NULL, NULL);
	*off = addr - value;
	return name;
}

static bool
look_up_indexed(struct insp *i, struct symidx *ix, size_t module,
		uint64_t addr, struct symbol *out)
{
	const uint64_t bias = i->modules[module].bias;
	struct sym_symbol sym;

	/* One that ends before is not the name of what is behind it; at 0 stands
	 * the file's header, and symbols that mean no address (versions). */
	if (!symidx_symbol_at(ix, addr - bias, &sym) || !sym.address
	    || (sym.size && addr - bias - sym.address >= sym.size))
		return false;
	*out = (struct symbol){
		.linkage = sym.linkage, .address = bias + sym.address,
		.size = sym.size, .module = module,
		.name = symbols_demangled(i, sym.linkage),
	};
	return true;
}

static bool
look_up(struct insp *i, uint64_t addr, struct symbol *out)
{
	size_t module = insp_module_at(i, addr);
	struct symidx *ix = insp_index(i, module);

	if (ix)
		return look_up_indexed(i, ix, module, addr, out);
	Dwfl_Module *mod = symbols_module(i, module);
	GElf_Off off;
	GElf_Sym sym;

	if (!mod)
		return false;
	const char *name = name_at(i, module, addr, &off, &sym);
	if (name && is_mapping_symbol(i, name))
		name = name_beside_mapping(i, mod, addr, &off, &sym);
	if (!name || !name[0])
		return false;
	*out = (struct symbol){
		.linkage = arena_strdup(i->arena, name),
		.address = addr - off, .size = sym.st_size, .module = module,
	};
	if (!out->linkage)
		return false;
	out->name = symbols_demangled(i, out->linkage);
	return true;
}

static struct symbol_slot *
cache_slot(struct insp *i, uint64_t addr)
{
	struct symbols *s = i->symbols;
	uint64_t hash = (addr * 0x9e3779b97f4a7c15ull) >> 32;

	if (!s->cache)
		s->cache = arena_array(i->arena, CACHE_SLOTS,
				       sizeof(*s->cache));
	return s->cache ? &s->cache[hash & (CACHE_SLOTS - 1)] : NULL;
}

struct err *
insp_symbol(struct insp *i, uint64_t addr, struct symbol *out)
{
	struct symbol_slot *slot = cache_slot(i, addr);

	if (!slot)
		return err_nomem();
	if (!slot->used || slot->addr != addr) {
		slot->used = true;
		slot->addr = addr;
		slot->found = look_up(i, addr, &slot->symbol);
	}
	if (!slot->found)
		return err_new(ERR_NOTFOUND, "no symbol covers 0x%llx",
			       (unsigned long long)addr);
	*out = slot->symbol;
	return NULL;
}

struct err *
insp_symbol_address(struct insp *i, size_t module, const char *linkage,
		    uint64_t *out)
{
	Dwfl_Module *mod = symbols_module(i, module);
	int n = mod ? dwfl_module_getsymtab(mod) : -1;

	for (int k = 0; k < n; k++) {
		GElf_Sym sym;
		GElf_Addr addr;
		const char *name = dwfl_module_getsym_info(mod, k, &sym, &addr,
							   NULL, NULL, NULL);

		if (is_definition(&sym) && tail_is_named(name, linkage)) {
			*out = addr;
			return NULL;
		}
	}
	return err_new(ERR_NOTFOUND, "no symbol %s", linkage);
}

/* ---- variables ---------------------------------------------------------------------- */
static bool
is_variable(const GElf_Sym *sym)
{
	static const uint8_t types[] = { STT_OBJECT, STT_COMMON, STT_TLS };

	if (sym->st_shndx == SHN_UNDEF)
		return false;
	for (size_t k = 0; k < countof(types); k++)
		if (GELF_ST_TYPE(sym->st_info) == types[k])
			return true;
	return false;
}

/* "name@@VERSION" of a library's own symbol table is "name" to everybody. */
static struct err *
variable_tell(const char *linkage, const GElf_Sym *sym, GElf_Addr addr,
	      insp_variable_fn *fn, void *arg)
{
	bool local = GELF_ST_TYPE(sym->st_info) == STT_TLS;
	size_t n = strnlen(linkage, MANGLED_MAX);
	bool mangled = n < MANGLED_MAX && linkage[0] == '_'
		       && linkage[1] == 'Z';
	_free_ char *plain = mangled
			     ? cplus_demangle(linkage, DMGL_AUTO | DMGL_ANSI
					      | DMGL_PARAMS | DMGL_VERBOSE)
			     : strndup(linkage, strcspn(linkage, "@"));
	const struct variable v = {
		.name = plain ? plain : linkage, .linkage = linkage,
		.address = local ? sym->st_value : addr,
		.size = sym->st_size, .thread_local_ = local,
	};

	return fn(arg, &v);
}

struct err *
insp_variables(struct insp *i, size_t module, insp_variable_fn *fn, void *arg)
{
	Dwfl_Module *mod = symbols_module(i, module);
	int n = mod ? dwfl_module_getsymtab(mod) : -1;
	struct err *err = NULL;

	for (int k = 0; k < n && !err; k++) {
		GElf_Sym sym;
		GElf_Addr addr;
		const char *name = dwfl_module_getsym_info(mod, k, &sym, &addr,
							   NULL, NULL, NULL);

		if (name && name[0] && is_variable(&sym))
			err = variable_tell(name, &sym, addr, fn, arg);
	}
	return err;
}
