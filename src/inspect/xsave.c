/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the state components are in a recorded XSAVE area.
 *
 * Linux records the area in the standard (never the compacted) format: Intel
 * SDM volume 1, 13.4. Bytes 464…471 of the legacy region hold the machine's
 * feature mask (struct user_xstateregs, arch/x86/include/asm/user.h). Offsets
 * of components are a property of the processor, not of the format: AMD
 * leaves out the room of components it never had. A core of Linux 6.12 or
 * later carries them as a note, for older ones the size of the area decides.
 */
#include "inspect/arch.h"

#include <string.h>

#define FEATURES_AT 464u
#define XSTATE_BV_AT 512u
#define AREA_MAX (1u << 20)     /* AMX makes it 11 KiB; an offset is below */
#define NOTE_ENTRY 16u          /* struct x86_xfeat_component */

struct component {
	uint8_t number;
	uint16_t offset, size;
};
#define COMPONENTS_MAX 10
struct layout {
	struct component component[COMPONENTS_MAX];
};
/* A layout is told by where its last component that exists ends. */
static const struct layout LAYOUTS[] = {
	{ {     /* Intel; MPX (3, 4) has left its room, later used by APX */
		{ 2, 576, 256 }, { 3, 960, 64 }, { 4, 1024, 64 },
		{ 5, 1088, 64 }, { 6, 1152, 512 }, { 7, 1664, 1024 },
		{ 9, 2688, 8 }, { 17, 2752, 64 }, { 18, 2816, 8192 },
		{ 19, 960, 128 },
	} },
	{ {     /* AMD, as CPUID leaf 0xd tells from Zen 3 on */
		{ 2, 576, 256 }, { 5, 832, 64 }, { 6, 896, 512 },
		{ 7, 1408, 1024 }, { 9, 2432, 8 },
	} },
};

static uint64_t
u64_at(struct span area, size_t at)
{
	struct rd r = rd_of(area.data, area.n);

	rd_seek(&r, at);
	uint64_t v = rd_u64(&r);
	return rd_failed(&r) ? 0 : v;
}

uint64_t
xsave_features(struct span area)
{
	return area.n < XSAVE_HEADER_END ? 0 : u64_at(area, FEATURES_AT);
}

uint64_t
xsave_active(struct span area)
{
	return u64_at(area, XSTATE_BV_AT);
}

static void
place(struct arch_layout *out, uint32_t number, uint32_t offset, uint32_t size)
{
	if (number >= ARCH_COMPONENTS || offset < XSAVE_HEADER_END
	    || offset > AREA_MAX || size > AREA_MAX)
		return;
	out->component[number].offset = offset;
	out->component[number].size = size;
}

static void
layout_of_note(struct span note, struct arch_layout *out)
{
	struct rd r = rd_of(note.data, note.n);

	while (rd_left(&r) >= NOTE_ENTRY) {
		uint32_t number = rd_u32(&r);
		uint32_t size = rd_u32(&r);
		uint32_t offset = rd_u32(&r);

		rd_skip(&r, 4);                         /* flags */
		place(out, number, offset, size);
	}
}

/* Size of an area of layout @l that has @features; 0 = it lacks one. */
static size_t
layout_size(const struct layout *l, uint64_t features)
{
	uint64_t left = features & ~3ull;
	size_t end = XSAVE_HEADER_END;

	for (size_t n = 0; n < COMPONENTS_MAX; n++) {
		const struct component *c = &l->component[n];

		if (c->size == 0 || !(left >> c->number & 1))
			continue;
		left &= ~(1ull << c->number);
		if ((size_t)c->offset + c->size > end)
			end = (size_t)c->offset + c->size;
	}
	return left ? 0 : end;
}

static void
layout_of_size(size_t size, struct arch_layout *out)
{
	/* Whoever made the processor, AVX has this place. */
	place(out, 2, XSAVE_HEADER_END, 256);
	for (size_t n = 0; n < countof(LAYOUTS); n++) {
		const struct layout *l = &LAYOUTS[n];

		if (layout_size(l, out->features) != size)
			continue;
		for (size_t k = 0; k < COMPONENTS_MAX; k++)
			place(out, l->component[k].number,
			      l->component[k].offset, l->component[k].size);
		return;
	}
}

void
xsave_layout(struct span area, struct span note, struct arch_layout *out)
{
	memset(out, 0, sizeof(*out));
	out->features = xsave_features(area);
	if (note.n)
		layout_of_note(note, out);
	else
		layout_of_size(area.n, out);
}
