/* SPDX-License-Identifier: Apache-2.0 */
/*
 * named.c: functions by the names that people know them by.
 */
#include "inspect/bounds.h"
#include "inspect/impl.h"

#include <string.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_$"
#define PART_MAX 256u

/* The last identifier of "a::b<int>::c(char)": mangled names have it too. */
static bool
last_part(const char *name, char out[PART_MAX])
{
	size_t n = strcspn(name, "("), start;

	while (n && !strchr(NAME_CHARS, name[n - 1]))
		n--;
	for (start = n; start && strchr(NAME_CHARS, name[start - 1]); )
		start--;
	if (start == n || n - start >= PART_MAX)
		return false;
	memcpy(out, name + start, n - start);
	out[n - start] = '\0';
	return true;
}

/* @name, or @name with arguments or with the tag of an ABI ("[abi:cxx11]"). */
static bool
is_called(const char *demangled, const char *name)
{
	size_t n = strlen(name);

	return strncmp(demangled, name, n) == 0
	       && (!demangled[n] || demangled[n] == '['
		   || (demangled[n] == '(' && !strchr(name, '(')));
}

static bool
is_function(const GElf_Sym *sym)
{
	return sym->st_shndx != SHN_UNDEF
	       && (GELF_ST_TYPE(sym->st_info) == STT_FUNC
		   || GELF_ST_TYPE(sym->st_info) == STT_GNU_IFUNC);
}

struct err *
insp_function_named(struct insp *i, size_t module, const char *name,
		    uint64_t *out)
{
	Dwfl_Module *mod = symbols_module(i, module);
	int n = mod ? dwfl_module_getsymtab(mod) : -1;
	char part[PART_MAX];

	if (!last_part(name, part))
		n = -1;
	for (int k = 0; k < n; k++) {
		GElf_Sym sym;
		GElf_Addr addr;
		const char *its = dwfl_module_getsym_info(mod, k, &sym, &addr,
							  NULL, NULL, NULL);

		if (its && is_function(&sym) && strstr(its, part)
		    && is_called(symbols_demangled(i, its), name)) {
			*out = addr;
			return NULL;
		}
	}
	return err_new(ERR_NOTFOUND, "no function %s", name);
}

struct err *
insp_address_named(struct insp *i, const char *name, uint64_t *out)
{
	static struct err *(*const ways[])(struct insp *i, size_t module,
					   const char *name, uint64_t *out) = {
		insp_symbol_address, insp_function_named,
	};

	for (size_t way = 0; way < countof(ways); way++)
		for (size_t m = 0; m < i->n_modules; m++) {
			_err_ struct err *none = ways[way](i, m, name, out);

			if (!none)
				return NULL;
		}
	return err_new(ERR_NOTFOUND, "no module has a symbol \"%.200s\"",
		       name);
}
