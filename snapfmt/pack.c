/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd, both ways: one frame per payload, never more than was declared.
 */
#include "snapfmt/layout.h"

struct err *
pack_frame(ZSTD_CCtx *zstd, int level, struct span raw, void *out, size_t cap,
	   size_t *n)
{
	/* The simple API always writes the content's size into the frame. */
	size_t got = ZSTD_compressCCtx(zstd, out, cap, raw.data, raw.n,
				       level);

	if (ZSTD_isError(got))
		return err_new(ERR_FAILED, "zstd: %s", ZSTD_getErrorName(got));
	*n = got;
	return NULL;
}

struct err *
pack_declares(struct span frame, size_t raw)
{
	unsigned long long declared = ZSTD_getFrameContentSize(frame.data,
							       frame.n);
	size_t frame_size = ZSTD_findFrameCompressedSize(frame.data, frame.n);

	if (ZSTD_isError(frame_size) || frame_size != frame.n)
		return err_new(ERR_DAMAGED, "is not one zstd frame");
	if (declared != raw)
		return err_new(ERR_DAMAGED,
			       "zstd frame does not declare %zu bytes", raw);
	return NULL;
}

struct err *
pack_expand(ZSTD_DCtx *zstd, struct span frame, void *out, size_t raw)
{
	/* Asked first: a frame of other size never gets to be unpacked. */
	struct err *err = pack_declares(frame, raw);

	if (err)
		return err;
	size_t got = ZSTD_decompressDCtx(zstd, out, raw, frame.data, frame.n);
	if (ZSTD_isError(got))
		return err_new(ERR_DAMAGED, "zstd: %s",
			       ZSTD_getErrorName(got));
	if (got != raw)
		return err_new(ERR_DAMAGED, "unpacks to %zu bytes, not to %zu",
			       got, raw);
	return NULL;
}
