/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshots that are open in a session, each once, whoever shows it. What
 * was written over one is kept while others are shown, and is there again when
 * a client comes back to it.
 */
#include "gdbstub/impl.h"
#include "inspect/overlay.h"

#include <stdlib.h>

static struct shown *
find_shown(const struct stub *s, uint64_t number)
{
	for (size_t k = 0; k < s->n_shown; k++)
		if (s->shown[k]->number == number)
			return s->shown[k];
	return NULL;
}

static struct err *
shown_overlay(struct stub *s, uint64_t number, struct overlay **out)
{
	const struct stub_options *o = &s->options;

	return o->overlay ? o->overlay(o->overlay_arg, number, out)
			  : overlay_new(&s->written, out);
}

static struct err *
add_shown(struct stub *s, uint64_t number, struct shown **out)
{
	struct shown **grown = reallocarray(s->shown, s->n_shown + 1,
					    sizeof(struct shown *));

	if (!grown)
		return err_nomem();
	s->shown = grown;
	struct shown *shown = calloc(1, sizeof(*shown));
	struct err *err = shown ? shown_overlay(s, number, &shown->overlay)
				: err_nomem();
	if (err) {
		free(shown);
		return err;
	}
	shown->number = number;
	shown->title = "";
	s->shown[s->n_shown++] = shown;
	*out = shown;
	return NULL;
}

static void
remove_shown(struct stub *s, struct shown *shown)
{
	size_t k = 0;

	while (s->shown[k] != shown)
		k++;
	s->shown[k] = s->shown[--s->n_shown];
	if (!s->options.overlay)
		overlay_free(shown->overlay);
	free(shown);
}

static bool
is_written(const struct shown *shown)
{
	size_t pieces, regs;

	overlay_pieces(shown->overlay, &pieces);
	overlay_regs(shown->overlay, &regs);
	return pieces || regs;
}

static void
close_engine(struct stub *s, struct shown *shown)
{
	const struct stub_host *host = s->options.host;

	if (!shown->insp)
		return;
	insp_lay_over(shown->insp, NULL);
	shown->insp = NULL;
	shown->title = "";
	if (host && host->close)
		host->close(host->arg, shown->number);
}

static struct err *
open_engine(struct stub *s, struct shown *shown)
{
	const struct stub_host *host = s->options.host;
	const char *title = NULL;
	struct insp *i;

	struct err *err = host->open(host->arg, shown->number, &i, &title);
	if (err)
		return err;
	shown->insp = i;
	shown->title = title ? title : "";
	insp_lay_over(i, shown->overlay);
	return NULL;
}

struct err *
shown_open(struct stub *s, uint64_t number, struct shown **out)
{
	struct shown *shown = find_shown(s, number);
	struct err *err = shown ? NULL : add_shown(s, number, &shown);

	if (err)
		return err;
	if (!shown->insp)
		err = open_engine(s, shown);
	if (err) {
		if (!is_written(shown))
			remove_shown(s, shown);
		return err;
	}
	*out = shown_again(shown);
	return NULL;
}

struct err *
shown_plain(struct stub *s, struct insp *i, const char *title,
	    struct shown **out)
{
	struct err *err = add_shown(s, 0, out);

	if (err)
		return err;
	(*out)->insp = i;
	(*out)->title = title;
	shown_again(*out);
	return NULL;
}

struct shown *
shown_again(struct shown *shown)
{
	shown->users++;
	return shown;
}

void
shown_close(struct stub *s, struct shown *shown)
{
	if (!shown || --shown->users)
		return;
	close_engine(s, shown);
	if (!is_written(shown))
		remove_shown(s, shown);
}

void
shown_fini(struct stub *s)
{
	while (s->n_shown) {
		close_engine(s, s->shown[0]);
		remove_shown(s, s->shown[0]);
	}
	free(s->shown);
}
