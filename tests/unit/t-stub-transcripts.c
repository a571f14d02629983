/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays the transcripts of tests/stub against the process of make-served.h,
 * those of tests/stub/host against the snapshots of make-hosted.h. A transcript
 * is a session; its first line is what it shows:
 *   # words
 *   > packet           sent in a frame
 *   < reply            what must come back; "..." at its end = and more
 *   >> bytes           sent as they are
 *   << bytes           what must come back, frame and all
 * \xNN is a byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make-hosted.h"

#define TRANSCRIPT_MAX (1u << 20)
#define TRANSCRIPTS_MAX 64

struct transcript {
	struct buf text, name, where;
	void (*play)(const struct transcript *t);
};

static void
unescape(const char *line, size_t n, struct buf *out)
{
	buf_reset(out);
	buf_put(out, "", 0);
	for (size_t k = 0; k < n; k++) {
		uint8_t byte = (uint8_t)line[k];

		if (byte == '\\' && k + 3 < n && line[k + 1] == 'x'
		    && hex_bytes(line + k + 2, 1, &byte))
			k += 3;
		buf_putc(out, (char)byte);
	}
}

/* "..." says that more may follow. */
static bool
is_expected(const struct buf *got, const struct buf *want)
{
	const size_t dots = 3;
	size_t n = want->len;

	if (n >= dots && memcmp(want->data + n - dots, "...", dots) == 0)
		return got->len >= n - dots
		       && memcmp(got->data, want->data, n - dots) == 0;
	return got->len == n && memcmp(got->data, want->data, n) == 0;
}

static void
complain(const struct transcript *t, unsigned line, const struct buf *got)
{
	_buf_ struct buf shown = { 0 };

	for (size_t k = 0; k < got->len; k++)
		buf_printf(&shown, got->data[k] >= ' ' && got->data[k] != '\\'
			   && got->data[k] != 0x7f ? "%c" : "\\x%02x",
			   (uint8_t)got->data[k]);
	fail_msg("%s:%u: the answer is: %s", t->where.data, line,
		 shown.data ? shown.data : "");
}

static void
play_line(struct served *s, const struct transcript *t, unsigned number,
	  const char *line, size_t n)
{
	bool raw = n > 1 && line[1] == line[0];
	size_t skip = raw ? 3 : 2;
	_buf_ struct buf bytes = { 0 };

	unescape(n > skip ? line + skip : "", n > skip ? n - skip : 0, &bytes);
	if (line[0] == '<') {
		const struct buf *got = raw ? &s->out : &s->reply;

		if (!is_expected(got, &bytes))
			complain(t, number, got);
	} else if (raw) {
		assert_null(served_send(s, bytes.data, bytes.len));
	} else if (!served_ask_bytes(s, bytes.data, bytes.len)) {
		complain(t, number, &s->out);
	}
}

static void
play_lines(struct served *s, const struct transcript *t)
{
	unsigned number = 0;

	for (const char *p = t->text.data; *p;) {
		size_t n = strcspn(p, "\n");

		number++;
		if (n && (p[0] == '>' || p[0] == '<'))
			play_line(s, t, number, p, n);
		p += n + (p[n] != '\0');
	}
}

static void
play_served(const struct transcript *t)
{
	struct served s;

	served_init(&s);
	assert_null(served_open(&s, NULL));
	play_lines(&s, t);
	served_close(&s);
}

static void
play_hosted(const struct transcript *t)
{
	struct hosted h;

	hosted_init(&h);
	assert_null(hosted_start(&h, true));
	play_lines(&h.session, t);
	hosted_close(&h);
}

static void
play(void **state)
{
	const struct transcript *t = *state;

	t->play(t);
}

static void
unload(struct transcript *t)
{
	buf_fini(&t->where);
	buf_fini(&t->text);
	buf_fini(&t->name);
	*t = (struct transcript){ 0 };
}

static bool
load(const char *directory, const char *name, struct transcript *t)
{
	buf_printf(&t->where, "%s/%s", directory, name);
	_err_ struct err *err = io_read_file(t->where.data, TRANSCRIPT_MAX,
					     &t->text);
	if (err || t->text.len < 3) {
		unload(t);
		return false;
	}
	buf_put(&t->name, t->text.data + 2, strcspn(t->text.data + 2, "\n"));
	return true;
}

static int
is_transcript(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0;
}

/** Those of one folder, behind the @n that were found already. */
static size_t
load_all(const char *folder, struct transcript *all, size_t n)
{
	const char *source = getenv("SRCDIR");
	_buf_ struct buf directory = { 0 };
	struct dirent **entries;

	buf_printf(&directory, "%s/%s", source ? source : ".", folder);
	int found = scandir(directory.data, &entries, is_transcript, alphasort);
	for (int k = 0; k < found; k++) {
		if (n < TRANSCRIPTS_MAX
		    && load(directory.data, entries[k]->d_name, &all[n]))
			n++;
		free(entries[k]);
	}
	if (found >= 0)
		free(entries);
	return n;
}

int
main(void)
{
	static const struct {
		const char *folder;
		void (*play)(const struct transcript *t);
	} folders[] = {
		{ "tests/stub", play_served },
		{ "tests/stub/host", play_hosted },
	};
	static struct transcript all[TRANSCRIPTS_MAX];
	struct CMUnitTest tests[TRANSCRIPTS_MAX];
	size_t count = 0;

	for (size_t k = 0; k < countof(folders); k++) {
		size_t first = count;

		count = load_all(folders[k].folder, all, count);
		if (count == first) {
			printf("1..1\nnot ok 1 - %s has transcripts\n",
			       folders[k].folder);
			return 1;
		}
		for (; first < count; first++)
			all[first].play = folders[k].play;
	}
	for (size_t k = 0; k < count; k++)
		tests[k] = (struct CMUnitTest){ .name = all[k].name.data,
						.test_func = play,
						.initial_state = &all[k] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	int failed = _cmocka_run_group_tests("transcripts", tests, count, NULL,
					     NULL);
	for (size_t k = 0; k < count; k++)
		unload(&all[k]);
	return failed;
}
