/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series.c: one snapshot after the other.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/keep.h"
#include "cmd/series.h"

#define SECOND UINT64_C(1000000000)

struct series {
	unsigned number;
	uint64_t id, every_ns, next_ns;
	bool caught;            /* SIGINT is: series_patience */
	series_fn *one;
	void *arg;
};

static struct err *
series_read(const struct series_words *words, struct series *s)
{
	s->number = (unsigned)words->number;
	s->every_ns = SECOND;
	if (words->every && !words->number)
		return err_new(ERR_USAGE, "--every says how far apart the "
			       "snapshots of a --series are");
	if (words->number > SERIES_MAX)
		return err_new(ERR_USAGE, "--series takes a number up to %u",
			       SERIES_MAX);
	if (words->every && !keep_duration(words->every, &s->every_ns))
		return err_new(ERR_USAGE, "--every \"%.80s\" is no time like "
			       "500ms or 10s", words->every);
	while (!s->id) {
		if (getrandom(&s->id, sizeof(s->id), 0) != sizeof(s->id))
			return err_errno("cannot make an id for the series");
	}
	return NULL;
}

/* ---- Ctrl-C ---- */

/* One SIGINT ends the series, not the snapshot that is being taken. */
static volatile sig_atomic_t series_patience;

static void
series_interrupted(int signal)
{
	(void)signal;
	series_patience = 0;
}

/* The next one ends the program: its disposition is the default's again.
 * Where SIGINT is ignored it remains so. */
static bool
series_catch(void)
{
	const struct sigaction caught = {
		.sa_handler = series_interrupted,
		.sa_flags = SA_RESTART | (int)SA_RESETHAND,
	};
	struct sigaction now;

	if (sigaction(SIGINT, NULL, &now) < 0 || now.sa_handler == SIG_IGN)
		return false;
	series_patience = 1;
	return sigaction(SIGINT, &caught, NULL) == 0;
}

/* ---- times ---- */

static uint64_t
series_now(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* Turns that have passed meanwhile are left out, not made up for. */
static void
series_sleep(struct series *s)
{
	uint64_t now = series_now();

	s->next_ns += s->every_ns;
	if (s->next_ns < now && s->every_ns)
		s->next_ns += (now - s->next_ns) / s->every_ns * s->every_ns;
	const struct timespec until = {
		.tv_sec = (time_t)(s->next_ns / SECOND),
		.tv_nsec = (long)(s->next_ns % SECOND),
	};
	while ((!s->caught || series_patience)
	       && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until,
				  NULL) == EINTR)
		;
}

/* ---- one of them ---- */

/* "x.snap" is "x.0003.snap" when it is the third. */
static struct err *
series_name(const struct place *given, unsigned index, struct place *out)
{
	static const char end[] = ".snap";
	size_t n = given->name ? strlen(given->name) : 0, e = sizeof(end) - 1;
	char *name = NULL;

	*out = *given;
	out->index = index;
	if (!n)
		return NULL;
	if (n > e && strcmp(given->name + n - e, end) == 0)
		n -= e;
	if (asprintf(&name, "%.*s.%04u%s", (int)n, given->name, index,
		     given->name + n) < 0)
		return err_nomem();
	out->name = name;
	return NULL;
}

static struct err *
series_attributes(struct arena *a, const struct series *s, unsigned index,
		  struct capture_options *o)
{
	const char **all = arena_array(a, o->n_attributes + 2, sizeof(*all));

	if (!all)
		return err_nomem();
	if (o->n_attributes)
		memcpy(all, o->attributes, o->n_attributes * sizeof(*all));
	all[o->n_attributes++] = arena_printf(a, "series.id=%016llx",
					      (unsigned long long)s->id);
	all[o->n_attributes++] = arena_printf(a, "series.index=%u", index);
	o->attributes = all;
	o->series = s->id;
	o->series_index = index;
	return all[o->n_attributes - 1] && all[o->n_attributes - 2]
	       ? NULL : err_nomem();
}

static struct err *
series_take(const struct series *s, const struct shoot *shoot, unsigned index,
	    int *status)
{
	_arena_ struct arena *a = arena_new(0);
	struct shoot this = *shoot;

	if (!a)
		return err_nomem();
	struct err *err = series_attributes(a, s, index, &this.options);
	if (!err)
		err = series_name(&shoot->place, index, &this.place);
	if (err)
		return err;
	this.quiet = index < s->number;
	this.patience = s->caught ? &series_patience : NULL;
	err = s->one(s->arg, &this, status);
	if (this.place.name != shoot->place.name)
		free(this.place.name);
	return err;
}

struct err *
series_run(const struct series_words *words, const struct shoot *shoot,
	   series_fn *one, void *arg, int *status)
{
	struct series s = { .one = one, .arg = arg };
	struct err *err = series_read(words, &s);

	if (!err && !s.number)
		return one(arg, shoot, status);
	s.caught = !err && series_catch();
	s.next_ns = series_now();
	for (unsigned k = 1; k <= s.number && !err && !*status; k++) {
		err = series_take(&s, shoot, k, status);
		if (err && err_kind(err) == ERR_NOTFOUND && k > 1) {
			say("capture: the series ends after %u of %u: %s",
			    k - 1, s.number, err_text(err));
			err_free(err);
			return NULL;
		}
		if (!err && k < s.number)
			series_sleep(&s);
		if (!err && s.caught && !series_patience && k < s.number) {
			say("capture: the series ends after %u of %u: it was "
			    "interrupted", k, s.number);
			break;
		}
	}
	if (s.caught)
		signal(SIGINT, SIG_DFL);
	return err;
}
