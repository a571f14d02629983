/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv: attributes as they are typed.
 */
#ifndef CMD_KV_H
#define CMD_KV_H

#include "base/base.h"

/**
 * The words of --kv as "key=value" each, in @a. A word is KEY=VALUE, or
 * KEY:VALUE,KEY:VALUE where a comma that no key follows belongs to the value.
 */
struct err *kv_read(const struct opt_list *words, struct arena *a,
		    struct vec *out) _must_check_;

#endif
