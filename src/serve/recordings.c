/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recordings.c: where a server's recordings go. A worker is given a file that
 * it can only make longer, up to a limit, and never sees the directory.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "serve/server.h"

#define RECORDING_LIMIT (64u << 20)
/* The limit is the recorder's; a worker that does not keep to it meets this. */
#define LAST_WORDS 4096u

static uint64_t
recordings_limit(const struct server *sv)
{
	return sv->o->record_limit ? sv->o->record_limit : RECORDING_LIMIT;
}

struct err *
recordings_open(struct server *sv)
{
	const char *dir = sv->o->record;

	if (!dir)
		return NULL;
	sv->recordings = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return sv->recordings >= 0 ? NULL
	       : err_errno("cannot open the directory %s for recordings", dir);
}

uint64_t
recordings_file_size(const struct server *sv)
{
	return sv->o->record ? recordings_limit(sv) + LAST_WORDS : 0;
}

/* "20261127T201500Z-17.rsp" */
static void
recordings_name(uint32_t session, const char *protocol, char *out,
		size_t size)
{
	char when[32];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(out, size, "%s-%u.%s", when, session, protocol);
}

struct err *
recordings_begin(struct server *sv, uint32_t session, const char *protocol,
		 int control)
{
	char name[64];

	if (sv->recordings < 0)
		return NULL;
	recordings_name(session, protocol, name, sizeof(name));
	_close_ int fd = openat(sv->recordings, name, O_WRONLY | O_CREAT
				| O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno("cannot write the recording %s", name);
	const struct control_message m = {
		.type = CONTROL_RECORD, .number = recordings_limit(sv),
		.text = protocol, .n = strlen(protocol), .fd = fd,
	};
	return control_send(control, &m);
}
