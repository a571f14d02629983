/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.c: a bar on stderr.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/progress.h"

#define QUIET_MS 500u
#define EVERY_MS 100u
#define BAR_WIDTH 30u

static uint64_t
progress_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

void
progress_init(struct progress *p)
{
	*p = (struct progress){
		.terminal = isatty(STDERR_FILENO),
		.begun_ms = progress_now(),
	};
}

static void
progress_bar(struct buf *b, uint64_t share)
{
	buf_puts(b, "\r[");
	for (unsigned k = 0; k < BAR_WIDTH; k++)
		buf_putc(b, k * 1000 < share * BAR_WIDTH ? '#' : ' ');
	buf_puts(b, "] ");
}

static void
progress_draw(struct buf *b)
{
	buf_puts(b, "\033[K");
	err_free(io_write(STDERR_FILENO, b->data, b->len));
}

/* Is it time to show something? */
static bool
progress_due(struct progress *p)
{
	uint64_t now;

	if (!p->terminal)
		return false;
	now = progress_now();
	if (now - p->begun_ms < QUIET_MS || now - p->shown_ms < EVERY_MS)
		return false;
	p->shown_ms = now;
	return true;
}

void
progress_show(void *progress, uint64_t done, uint64_t total)
{
	_buf_ struct buf b = { 0 };

	if (!progress_due(progress))
		return;
	progress_bar(&b, total ? done / (total / 1000 + 1) : 0);
	buf_size(&b, done);
	if (total) {
		buf_puts(&b, " of ");
		buf_size(&b, total);
	}
	progress_draw(&b);
}

void
progress_share(struct progress *p, const char *of, unsigned done)
{
	_buf_ struct buf b = { 0 };

	if (!progress_due(p))
		return;
	progress_bar(&b, done);
	buf_puts(&b, "index of ");
	buf_escape(&b, of, strlen(of));
	progress_draw(&b);
}

void
progress_end(struct progress *p)
{
	if (p->shown_ms)
		err_free(io_write(STDERR_FILENO, "\r\033[K", 4));
	p->shown_ms = 0;
}
