/* SPDX-License-Identifier: Apache-2.0 */
/* Error values: a kind, a sentence, and the exit status that follows. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

struct err {
	enum err_kind kind;
	const char *text;       /* behind the struct, or static */
};

/* Known beforehand, because when it is needed nothing can be allocated. */
static const struct err out_of_memory = {
	.kind = ERR_NOMEM,
	.text = "out of memory",
};

static const uint8_t exit_status[ERR_KINDS] = {
	[ERR_FAILED] = 1,
	[ERR_FORMAT] = 1,
	[ERR_UNSUPPORTED] = 1,
	[ERR_USAGE] = 2,
	[ERR_NOTFOUND] = 3,
	[ERR_DENIED] = 4,
	[ERR_NETWORK] = 5,
	[ERR_DAMAGED] = 6,
	[ERR_LIMIT] = 6,
	[ERR_UNMAPPED] = 1,
	[ERR_ABSENT] = 1,
	[ERR_NOMEM] = 1,
	[ERR_IO] = 1,
};

static const struct {
	int number;
	enum err_kind kind;
} errno_kinds[] = {
	{ ENOENT, ERR_NOTFOUND },
	{ EACCES, ERR_DENIED },
	{ EPERM, ERR_DENIED },
	{ ENOMEM, ERR_NOMEM },
};

static enum err_kind
kind_of_errno(int number)
{
	for (size_t i = 0; i < countof(errno_kinds); i++)
		if (errno_kinds[i].number == number)
			return errno_kinds[i].kind;
	return ERR_IO;
}

/** The words of a format, control bytes shown escaped, after @out. */
static _printf_(2, 0) void
put_words(struct buf *out, const char *fmt, va_list ap)
{
	_buf_ struct buf words = { 0 };

	buf_vprintf(&words, fmt, ap);
	if (words.failed)
		out->failed = true;
	else
		buf_escape(out, words.data, words.len);
}

static struct err *
err_of(enum err_kind kind, const struct buf *text)
{
	struct err *err;
	char *copy;

	assert(kind > 0 && kind < ERR_KINDS);
	if (text->failed)
		return err_nomem();
	err = malloc(sizeof(*err) + text->len + 1);
	if (!err)
		return err_nomem();
	copy = (char *)(err + 1);
	memcpy(copy, text->data, text->len + 1);
	*err = (struct err){ .kind = kind, .text = copy };
	return err;
}

struct err *
err_new(enum err_kind kind, const char *fmt, ...)
{
	_buf_ struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	put_words(&text, fmt, ap);
	va_end(ap);
	return err_of(kind, &text);
}

struct err *
err_errno(const char *fmt, ...)
{
	_buf_ struct buf text = { 0 };
	int number = errno;
	/* Not strerror(): it looks for translations, which a jail forbids. */
	const char *word = strerrordesc_np(number);
	va_list ap;

	va_start(ap, fmt);
	put_words(&text, fmt, ap);
	va_end(ap);
	if (word)
		buf_printf(&text, ": %s", word);
	else
		buf_printf(&text, ": error %d", number);
	return err_of(kind_of_errno(number), &text);
}

struct err *
err_wrap(struct err *err, const char *fmt, ...)
{
	_buf_ struct buf text = { 0 };
	struct err *wrapped;
	va_list ap;

	if (!err)
		return NULL;
	va_start(ap, fmt);
	put_words(&text, fmt, ap);
	va_end(ap);
	buf_printf(&text, ": %s", err->text);
	/* Without memory for more words, the cause alone is still true. */
	if (text.failed)
		return err;
	wrapped = err_of(err->kind, &text);
	if (wrapped == &out_of_memory)
		return err;
	err_free(err);
	return wrapped;
}

struct err *
err_nomem(void)
{
	/* Nobody writes through a struct err, and err_free() knows it. */
	return (struct err *)&out_of_memory;
}

enum err_kind
err_kind(const struct err *err)
{
	return err ? err->kind : 0;
}

const char *
err_text(const struct err *err)
{
	return err ? err->text : "";
}

int
err_exit_status(const struct err *err)
{
	return err ? exit_status[err->kind] : 0;
}

void
err_free(struct err *err)
{
	if (err != &out_of_memory)
		free(err);
}

void
err_freep(struct err **err)
{
	err_free(*err);
}
