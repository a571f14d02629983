/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sourcemap: --source-map FROM=TO, for verbs that show source.
 */
#ifndef CMD_SOURCEMAP_H
#define CMD_SOURCEMAP_H

#include "supply/supply.h"

#define SOURCEMAP_OPT(type, member) \
	{ "source-map", 0, "FROM=TO", \
	  "sources under FROM are in TO here (repeat)", OPT_LIST, \
	  offsetof(type, member) }
/** The words, in @a; TO is made absolute. */
struct err *sourcemap_read(const struct opt_list *words, struct arena *a,
			   const struct supply_map **out) _must_check_;
/** The same as commands for a debugger, @verb "FROM" "TO" each: const char *. */
struct err *sourcemap_commands(const struct opt_list *words, const char *verb,
			       struct arena *a, struct vec *out) _must_check_;

#endif
