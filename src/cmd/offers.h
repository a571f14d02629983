/* SPDX-License-Identifier: Apache-2.0 */
/*
 * offers: what a session of a debugger is offered by the words that were typed:
 * each SNAP, and with it the other snapshots of its series.
 *
 * Files of a series lie side by side and differ in the number before ".snap";
 * without the number their name stands for the first one. Objects of a store
 * have their series as an attribute; its id stands for the first one. Whether
 * files are of one series is found out by whoever looks into them.
 */
#ifndef CMD_OFFERS_H
#define CMD_OFFERS_H

#include "cmd/pick.h"
#include "serve/serve.h"

/* Snapshots that a session may show side by side. */
#define OFFERS_TYPED_MAX 16u

struct offers {
	struct arena *arena;
	struct vec rows;        /* of struct worker_offer */
	struct vec words;       /* of const char *: a SNAP each, as the rows */
	uint64_t typed[OFFERS_TYPED_MAX];       /* their numbers */
	size_t n_typed;
	const char *words_typed[OFFERS_TYPED_MAX];
	struct pick first;      /* of the first one typed, opened */
	struct worker_desk desk;
};
/** Opens the first; without any the first that is asked for by name is opened
 * as if it had been typed, before a worker has seen anything. @out stays where
 * it is until offers_fini(). */
struct err *offers_make(char *const *typed, size_t n, struct offers *out)
	_must_check_;
void offers_fini(struct offers *o);
#define _offers_ _cleanup_(offers_fini)
/** Is the first word all there is? */
bool offers_alone(const struct offers *o);
/** The SNAP that the @k-th word stands for. */
const char *offers_word(const struct offers *o, size_t k);

#endif
