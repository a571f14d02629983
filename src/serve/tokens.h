/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens: what a token opens; the rest is in serve.h.
 */
#ifndef SERVE_TOKENS_H
#define SERVE_TOKENS_H

#include "serve/serve.h"

/** The project it opens, "" = all, and what names it, "" = the server's own.
 * ERR_DENIED if it is none. */
struct err *token_scope(const char *dir, const char *text,
			char project[STORE_NAME_MAX + 1],
			char id[TOKEN_ID_DIGITS + 1]) _must_check_;

#endif
