/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.c: a picture of a running process.
 *
 * Tracing is done by a thread of its own, which ends before this returns: the
 * kernel then lets go of every thread it had seized, also of those that could
 * not be stopped and would otherwise stop for us later.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capture/shot.h"

/* Bytes that two threads are sooner through with than one. */
#define LANE_FROM (4u << 20)

struct tracing {
	struct shot *shot;
	struct err *err;
};

static struct err *
trace(struct shot *s)
{
	struct tracees *t = &s->tracees;

	struct err *err = tracees_seize(t);
	if (!err)
		err = shot_prepare(s);
	if (err)
		return err;
	if (s->plan.bytes > LANE_FROM)
		lane_begin(&s->copier.lane);
	uint64_t began = tracees_now();
	err = tracees_stop(t, began + s->limits.stop_ms * 1000000ull);
	if (!err)
		err = shot_take(s, began);
	tracees_detach(t);
	s->pause_ns = tracees_now() - began;
	lane_end(&s->copier.lane);
	return err;
}

static void *
trace_run(void *arg)
{
	struct tracing *t = arg;
	sigset_t all;

	/* A thousand busy threads would make us wait for our turn while some
	 * of them wait for us. Where it is not allowed it is not needed. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), -20);
	/* A nap of 20 us would be one of 70. */
	prctl(PR_SET_TIMERSLACK, 1);
	/* Signals are for the threads of the caller. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	t->err = trace(t->shot);
	sem_post(&t->shot->looked);
	return NULL;
}

/* There are none where it came to nothing. */
static void
trace_meanwhile(struct shot *s)
{
	while (sem_wait(&s->looked) < 0)
		;
	if (s->n_maps)
		s->meanwhile->maps(s->meanwhile->arg, s->maps, s->n_maps);
}

static struct err *
trace_apart(struct shot *s)
{
	struct tracing t = { .shot = s };
	pthread_t thread;

	if (sem_init(&s->looked, 0, 0) < 0)
		return err_errno("cannot make a semaphore");
	if (pthread_create(&thread, NULL, trace_run, &t) == 0) {
		trace_meanwhile(s);
		pthread_join(thread, NULL);
	} else {
		t.err = err_new(ERR_FAILED, "no thread can be started to take "
				"the picture: the limit of processes is "
				"reached (ulimit -u)");
	}
	sem_destroy(&s->looked);
	return t.err;
}

struct err *
capture_process(pid_t pid, const struct capture_limits *limits,
		const struct capture_meanwhile *meanwhile, struct target **out)
{
	struct shot s;

	struct err *err = shot_open(&s, pid, limits);
	s.meanwhile = meanwhile;
	if (!err)
		err = trace_apart(&s);
	if (!err)
		err = shot_finish(&s, out);
	shot_fini(&s);
	return err;
}
