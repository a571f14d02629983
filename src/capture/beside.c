/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beside.c: a text is read while something else is done.
 */
#include "capture/beside.h"

#include <signal.h>

static void *
beside_run(void *arg)
{
	struct beside *b = arg;

	b->err = proc_read(b->proc, b->name, b->max, &b->text);
	return NULL;
}

/* Signals are for the threads of the caller. */
void
beside_begin(struct beside *b)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	b->runs = pthread_create(&b->thread, NULL, beside_run, b) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!b->runs)
		beside_run(b);
}

struct err *
beside_end(struct beside *b)
{
	if (b->runs)
		pthread_join(b->thread, NULL);
	b->runs = false;
	return take(b->err);
}

void
beside_fini(struct beside *b)
{
	_err_ struct err *unwanted = beside_end(b);

	buf_fini(&b->text);
}
