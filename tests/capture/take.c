/* SPDX-License-Identifier: Apache-2.0 */
/*
 * take FILE PID | take FILE -- COMMAND…: a picture as a snapshot, for the
 * scripts of this folder; over the disk, unjailed. With a command FILE gets a
 * dot and the process's number behind it, for each that dies. Exits as the
 * command does; prints one line a picture.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture.h"
#include "supply/supply.h"

static struct err *
on_disk(void *arg, const struct supply_ask *ask, int *fd)
{
	return supply_disk(arg, ask, fd);
}

static struct err *
into_file(void *arg, const void *data, size_t n)
{
	return io_write(*(const int *)arg, data, n);
}

/* Takes @picture. */
static struct err *
save(struct target *picture, const char *path)
{
	struct supply supply = { on_disk, (void *)&supply_default_places };
	const struct insp_options over = { .supply = &supply };
	const struct capture_options options = {
		.source = "live", .source_name = path,
		.pause_ns = capture_pause_ns(picture),
		.memory = CAPTURE_FULL,
	};
	_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			      0600);
	struct capture_counts counts;
	_insp_ struct insp *i = NULL;

	struct err *err = insp_open(picture, &over, &i);
	if (!err && fd < 0)
		err = err_errno("%s", path);
	if (!err)
		err = capture_save(i, &options, into_file, &fd, &counts);
	if (err)
		return err;
	printf("%s: %llu threads, %llu frames, %llu bytes, %llu absent, "
	       "pause %llu us\n", path, (unsigned long long)counts.threads,
	       (unsigned long long)counts.frames,
	       (unsigned long long)counts.memory,
	       (unsigned long long)counts.absent,
	       (unsigned long long)options.pause_ns / 1000);
	fflush(stdout);
	return NULL;
}

static int
died(void *arg, struct target *picture)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s.%llu", (const char *)arg,
		 (unsigned long long)picture->process.pid);
	_err_ struct err *err = save(picture, path);
	if (err)
		fprintf(stderr, "%s\n", err_text(err));
	return err_exit_status(err);
}

static struct err *
take_running(const char *path, pid_t pid, const struct capture_limits *limits)
{
	struct target *picture;

	struct err *err = capture_process(pid, limits, NULL, &picture);
	return err ? err : save(picture, path);
}

static struct err *
run_command(char *path, char **argv, const struct capture_limits *limits,
	    int *status)
{
	const struct capture_command c = { argv, limits, died, path };
	struct captured captured;

	struct err *err = capture_run(&c, &captured);
	if (err)
		return err;
	fprintf(stderr, "%u pictures, %u failed\n", captured.pictures,
		captured.failed);
	*status = WIFEXITED(captured.status) ? WEXITSTATUS(captured.status)
		  : 128 + WTERMSIG(captured.status);
	return NULL;
}

static uint64_t
number(const char *variable)
{
	const char *word = getenv(variable);

	return word ? strtoull(word, NULL, 0) : 0;
}

/* COPY, STACK, STOP_MS and PAUSE_US of the environment; STACKS_ONLY, REACHABLE. */
static struct capture_limits
limits_from_environment(void)
{

	return (struct capture_limits){
		.copy = number("COPY"),
		.stack = number("STACK"),
		.stop_ms = (unsigned)number("STOP_MS"),
		.pause_ns = 1000u * number("PAUSE_US"),
		.memory = getenv("STACKS_ONLY") ? CAPTURE_STACKS
			  : getenv("REACHABLE") ? CAPTURE_REACHABLE
						: CAPTURE_FULL,
	};
}

int
main(int argc, char **argv)
{
	const struct capture_limits limits = limits_from_environment();
	_err_ struct err *err = NULL;
	int status = 0;

	if (argc > 3 && strcmp(argv[2], "--") == 0)
		err = run_command(argv[1], argv + 3, &limits, &status);
	else if (argc == 3)
		err = take_running(argv[1], atoi(argv[2]), &limits);
	else
		return 2;
	if (err)
		fprintf(stderr, "%s\n", err_text(err));
	return err ? err_exit_status(err) : status;
}
