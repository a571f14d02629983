/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are computed from a number. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/make-object.h"

/** splitmix64: nothing in it repeats, as in compressed chunks. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static struct err *
piece_add(struct made *m, uint64_t seed)
{
	struct snap_piece *more = reallocarray(m->piece, m->n + 1,
					       sizeof(*more));
	size_t start = m->bytes.len, n;

	if (!more)
		return err_nomem();
	m->piece = more;
	n = 2000 + next_random(&seed) % 12000;
	while (m->bytes.len - start < n && !m->bytes.failed)
		buf_u64(&m->bytes, next_random(&seed));
	m->piece[m->n++] = (struct snap_piece){
		start, m->bytes.len - start, SNAP_PIECE_CHUNK };
	return buf_err(&m->bytes);
}

struct err *
make_object(uint64_t number, size_t size, struct made *out)
{
	struct err *err = NULL;

	*out = (struct made){ .n = 0 };
	for (uint64_t i = 0; out->bytes.len < size && !err; i++)
		err = piece_add(out, i % 2 ? (number / 4) << 32 | i << 1 :
				number << 32 | i << 1 | 1);
	return err;
}

void
made_fini(struct made *m)
{
	buf_fini(&m->bytes);
	free(m->piece);
	*m = (struct made){ .n = 0 };
}

struct err *
make_and_put(struct store *s, const char *project, uint64_t number,
	     size_t size, struct store_added *out)
{
	static const char *const tags[] = { "made" };
	const struct snap_attr attr = { "number", SNAP_ATTR_U64,
					.number = number };
	_source_ struct source *src = NULL;
	_made_ struct made m = { .n = 0 };
	struct err *err = make_object(number, size, &m);

	if (!err)
		err = source_mem(m.bytes.data, m.bytes.len, "made", &src);
	const struct store_put p = {
		.project = project, .file = src,
		.pieces = m.piece, .n_pieces = m.n,
		.attrs = &attr, .n_attrs = 1,
		.tags = tags, .n_tags = 1,
	};
	return err ? err : store_put(s, &p, out);
}

struct compare {
	const struct made *made;
	size_t at;
	bool differs;
};

static struct err *
compare_run(void *arg, const void *data, size_t n)
{
	struct compare *c = arg;
	const struct buf *b = &c->made->bytes;

	c->differs |= n > b->len - c->at ||
		      memcmp(data, b->data + c->at, n) != 0;
	c->at += c->differs ? 0 : n;
	return NULL;
}

struct err *
make_and_check(struct store *s, const struct store_ref *ref, uint64_t number,
	       size_t size)
{
	_made_ struct made m = { .n = 0 };
	struct compare c = { .made = &m };
	struct err *err = make_object(number, size, &m);

	if (!err)
		err = store_get(s, ref, compare_run, &c);
	if (!err && (c.differs || c.at != m.bytes.len))
		err = err_new(ERR_FAILED, "object %llx is not file %llu",
			      (unsigned long long)ref->number,
			      (unsigned long long)number);
	return err;
}
