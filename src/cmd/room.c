/* SPDX-License-Identifier: Apache-2.0 */
/*
 * room.c: a disk is never filled.
 */
#include <sys/vfs.h>

#include "cmd/cmd.h"
#include "cmd/room.h"

#define FREE_MAX (UINT64_C(1) << 30)
#define FREE_PART 20u           /* one of these parts of a file system */

static struct err *
room_free(const struct room *r, int fd, uint64_t more)
{
	_buf_ struct buf left = { 0 }, kept = { 0 };
	struct statfs st;

	if (fstatfs(fd, &st) < 0 || st.f_bsize <= 0)
		return NULL;
	uint64_t block = (uint64_t)st.f_bsize, there = st.f_bavail * block;
	uint64_t keep = st.f_blocks / FREE_PART * block;
	if (keep > FREE_MAX)
		keep = FREE_MAX;
	if (r->free)
		keep = r->free;
	if (there >= keep && there - keep >= more)
		return NULL;
	buf_size(&left, there);
	buf_size(&kept, keep);
	return err_new(ERR_FAILED, "the file system has %s left, and %s of it "
		       "are to stay free: write elsewhere (-o DIR), make room, "
		       "or say --keep-free SIZE", left.data ? left.data : "?",
		       kept.data ? kept.data : "?");
}

struct err *
room_check(const struct room *r, int fd, uint64_t done, uint64_t more)
{
	_buf_ struct buf limit = { 0 };

	if (!r->max || more <= r->max)
		return room_free(r, fd, more > done ? more - done : 0);
	buf_size(&limit, r->max);
	return err_new(ERR_FAILED, "the snapshot would be larger than the %s "
		       "of --max-size: keep less of it (--budget, --memory "
		       "stacks)", limit.data ? limit.data : "");
}
