/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "inquest/maps": what is mapped, and how much of it is there, by pages: the
 * next one begins at the address that the last one ended with.
 */
#include "inspect/maps.h"
#include "dap/impl.h"

#define RANGES 500
#define RANGES_MAX 5000

static const char *const states[] = {
	[MAP_CAPTURED] = "captured", [MAP_ZERO] = "zero",
	[MAP_FROM_FILE] = "file", [MAP_ABSENT] = "absent",
};

static void
put_map(struct json *j, const struct map_names *names,
	const struct map_piece *p)
{
	const struct snap_map *m = p->map;
	const char text[] = {
		m->perm & SNAP_PERM_R ? 'r' : '-',
		m->perm & SNAP_PERM_W ? 'w' : '-',
		m->perm & SNAP_PERM_X ? 'x' : '-',
		m->perm & SNAP_PERM_SHARED ? 's' : 'p', '\0',
	};
	const char *name = map_name(names, m);

	json_set(j, "permissions", json_string(text));
	if (*name)
		json_set(j, "name", json_string(name));
	if (m->path)
		json_set(j, "offset", json_addr(m->offset
						+ (p->start - m->start)));
}

struct json *
maps_range(const struct map_names *names, const struct map_piece *p)
{
	struct json *j = json_object();

	json_set(j, "start", json_addr(p->start));
	json_set(j, "end", json_addr(p->end));
	json_set(j, "state", json_string(states[p->state]));
	if (p->state == MAP_ABSENT)
		json_set(j, "reason", json_string(snap_reason_why(p->reason)));
	if (p->map)
		put_map(j, names, p);
	return j;
}

struct err *
maps_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	static const struct arg_bounds counts = { 1, INT32_MAX, RANGES };
	struct map_names names;
	struct map_piece p;
	struct json *list;
	uint64_t at = 0;
	int64_t count;
	bool more;

	struct err *err = arg_number(arguments, "count", &counts, &count);
	if (!err && json_get(arguments, "address"))
		err = arg_address(arguments, "address", &at);
	if (err)
		return err;
	if (count > RANGES_MAX)
		count = RANGES_MAX;
	insp_map_names(d->shown.insp, &names);
	list = json_array();
	while ((more = insp_piece_above(d->shown.insp, at, &p)) && count--) {
		json_add(list, maps_range(&names, &p));
		at = p.end;
	}
	*body = json_object();
	json_set(*body, "ranges", list);
	if (more)
		json_set(*body, "next", json_addr(p.start));
	return NULL;
}
