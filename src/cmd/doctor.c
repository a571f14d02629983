/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.c: inquest doctor - what on this machine stands in the way, and the
 * command that mends it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "jail/jail.h"

struct doctor_options {
	bool json;
};

/* What one look found. @fix empty: nothing to do about it. */
struct finding {
	bool ok;
	struct buf text, fix;
};

#define PROC_LIMIT 4096u
/* A few large snapshots, and what the store needs to tidy itself. */
#define STORE_ROOM (1ull << 30)

/* A line of /proc without its newline; false if there is no such file. */
static bool
proc_line(const char *path, struct buf *out)
{
	_err_ struct err *err = io_read_file(path, PROC_LIMIT, out);

	if (err || !out->data)
		return false;
	out->data[strcspn(out->data, "\n")] = '\0';
	return true;
}

/* The first line that a command prints; false if it fails. */
static bool
command_line(const char *command, char *line, int size)
{
	FILE *f = popen(command, "r");
	bool got;

	if (!f)
		return false;
	got = fgets(line, size, f);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return pclose(f) == 0 && got;
}

/* ---- the looks ---- */

static void
look_core_pattern(struct finding *f)
{
	_buf_ struct buf pattern = { 0 };

	f->ok = true;
	if (!proc_line("/proc/sys/kernel/core_pattern", &pattern)) {
		buf_puts(&f->text, "cannot be read here");
		return;
	}
	if (*pattern.data == '|') {
		buf_puts(&f->text, "cores go to a program: ");
		buf_escape(&f->text, pattern.data, strlen(pattern.data));
		if (strstr(pattern.data, "systemd-coredump"))
			buf_puts(&f->text, "; coredumpctl dump -o core gives "
				 "one back");
		return;
	}
	buf_puts(&f->text, "cores are written to \"");
	buf_escape(&f->text, pattern.data, strlen(pattern.data));
	buf_putc(&f->text, '"');
	f->ok = strchr(pattern.data, '%');
	if (!f->ok) {
		buf_puts(&f->text, ": a second core replaces the first");
		buf_puts(&f->fix, "sysctl -w kernel.core_pattern=core.%p");
	}
}

static void
look_core_limit(struct finding *f)
{
	struct rlimit limit;

	getrlimit(RLIMIT_CORE, &limit);
	f->ok = limit.rlim_cur != 0;
	if (limit.rlim_cur == RLIM_INFINITY)
		buf_puts(&f->text, "cores may be of any size");
	else if (f->ok)
		buf_printf(&f->text, "cores are cut at %llu bytes",
			   (unsigned long long)limit.rlim_cur);
	else
		buf_puts(&f->text, "no cores are written by programs started "
			 "from here");
	if (limit.rlim_cur != RLIM_INFINITY)
		buf_puts(&f->fix, "ulimit -c unlimited");
	f->ok = limit.rlim_cur == RLIM_INFINITY;
}

static void
look_core_filter(struct finding *f)
{
	_buf_ struct buf filter = { 0 };
	uint64_t bits;

	f->ok = true;
	if (!proc_line("/proc/self/coredump_filter", &filter)
	    || !hex_u64(filter.data, strlen(filter.data), &bits)) {
		buf_puts(&f->text, "cannot be read here");
		return;
	}
	/* core(5): 0 = private anonymous memory, 4 = ELF headers. */
	f->ok = (bits & 0x11) == 0x11;
	buf_printf(&f->text, "0x%llx: %s", (unsigned long long)bits,
		   f->ok ? "stacks, heaps and build-ids are in cores"
			 : "cores lack stacks or build-ids");
	if (!f->ok)
		buf_puts(&f->fix, "echo 0x33 > /proc/self/coredump_filter");
}

static void
look_jail(struct finding *f)
{
	struct jail_support support;
	const char *lacks = jail_lacks();

	jail_probe(&support);
	f->ok = !lacks;
	if (lacks)
		buf_puts(&f->text, lacks);
	else
		buf_printf(&f->text, "seccomp, Landlock %d: foreign files are "
			   "parsed in a closed jail", support.landlock_abi);
}

static void
look_ptrace(struct finding *f)
{
	_buf_ struct buf scope = { 0 };

	f->ok = true;
	if (!proc_line("/proc/sys/kernel/yama/ptrace_scope", &scope)) {
		buf_puts(&f->text, "not restricted (no Yama)");
		return;
	}
	f->ok = strcmp(scope.data, "0") == 0 || geteuid() == 0;
	buf_printf(&f->text, "ptrace_scope is %s", scope.data);
	if (!f->ok) {
		buf_puts(&f->text, ": running programs cannot be captured, "
			 "commands (capture --) can");
		buf_puts(&f->fix, "sysctl -w kernel.yama.ptrace_scope=0");
	}
}

/* The directory that is there, of @dir and those above it. */
static void
look_up(char *dir)
{
	struct stat st;

	while (stat(dir, &st) < 0 && strchr(dir + 1, '/'))
		*strrchr(dir, '/') = '\0';
}

static void
look_store_room(struct finding *f, const char *dir, const char *existing)
{
	struct statvfs fs;
	uint64_t room;

	if (access(existing, W_OK) < 0) {
		f->ok = false;
		buf_printf(&f->text, "%s cannot be written", existing);
		buf_puts(&f->fix, "export INQUEST_STORE=DIRECTORY");
		return;
	}
	buf_printf(&f->text, "%s, ", dir);
	if (strcmp(dir, existing) != 0)
		buf_puts(&f->text, "made by the first put, ");
	if (statvfs(existing, &fs) < 0)
		return;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	f->ok = room >= STORE_ROOM;
	buf_size(&f->text, room);
	buf_puts(&f->text, " free");
	if (!f->ok)
		buf_puts(&f->fix, PROGRAM " rm ID, or INQUEST_STORE on a "
			 "larger disk");
}

static void
look_store(struct finding *f)
{
	_free_ char *dir = NULL, *existing = NULL;
	_store_ struct store *s = NULL;
	struct stat st;

	f->ok = true;
	_err_ struct err *err = home_dir(NULL, &dir);
	if (!err && stat(dir, &st) == 0)
		err = home_open(NULL, false, &s);
	if (err) {
		f->ok = false;
		buf_puts(&f->text, err_text(err));
		buf_puts(&f->fix, "export INQUEST_STORE=DIRECTORY");
		return;
	}
	existing = strdup(dir);
	if (!existing)
		return;
	look_up(existing);
	look_store_room(f, dir, existing);
}

static void
look_gdb(struct finding *f)
{
	char version[128], python[64];

	f->ok = command_line("gdb --version 2>/dev/null", version,
			     sizeof(version));
	if (!f->ok) {
		buf_puts(&f->text, "not found; `" PROGRAM " gdb` needs it");
		buf_puts(&f->fix, "apt-get install gdb");
		return;
	}
	buf_escape(&f->text, version, strlen(version));
	f->ok = command_line("gdb -nx -batch -ex 'python print(1)' "
			     "2>/dev/null", python, sizeof(python))
		&& strcmp(python, "1") == 0;
	buf_puts(&f->text, f->ok ? ", with Python"
				 : ", without Python: no pretty printers");
	if (!f->ok)
		buf_puts(&f->fix, "apt-get install gdb");
}

static void
look_debug_files(struct finding *f)
{
	struct stat st;

	f->ok = stat("/usr/lib/debug/.build-id", &st) == 0;
	if (f->ok) {
		buf_puts(&f->text, "in /usr/lib/debug/.build-id");
		return;
	}
	buf_puts(&f->text, "none in /usr/lib/debug/.build-id: the C library's "
		 "frames have no line numbers");
	buf_puts(&f->fix, "apt-get install libc6-dbg");
}

static void
look_locale(struct finding *f)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value = NULL;

	for (size_t k = 0; k < countof(names) && (!value || !*value); k++)
		value = getenv(names[k]);
	f->ok = value && (strstr(value, "UTF-8") || strstr(value, "utf8"));
	buf_escape(&f->text, value ? value : "not set",
		   strlen(value ? value : "not set"));
	if (!f->ok) {
		buf_puts(&f->text, ": names outside of ASCII may look odd");
		buf_puts(&f->fix, "export LANG=C.UTF-8");
	}
}

static const struct look {
	const char *name;
	void (*run)(struct finding *f);
} looks[] = {
	{ "core pattern", look_core_pattern },
	{ "core size", look_core_limit },
	{ "core filter", look_core_filter },
	{ "jail", look_jail },
	{ "ptrace", look_ptrace },
	{ "store", look_store },
	{ "gdb", look_gdb },
	{ "debug files", look_debug_files },
	{ "locale", look_locale },
};

/* ---- the verb ---- */

static void
doctor_text(const struct look *l, const struct finding *f, struct buf *out)
{
	buf_printf(out, "%-5s %-13s %s\n", f->ok ? "ok" : "warn", l->name,
		   f->text.data ? f->text.data : "");
	if (f->fix.len)
		buf_printf(out, "%-19s %s\n", "", f->fix.data);
}

static struct json *
doctor_json(const struct look *l, const struct finding *f)
{
	struct json *j = json_object();

	json_set(j, "name", json_string(l->name));
	json_set(j, "ok", json_bool(f->ok));
	json_set(j, "text", json_string(f->text.data));
	json_set(j, "fix", json_string(f->fix.len ? f->fix.data : NULL));
	return j;
}

static struct err *
doctor_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct doctor_options o = { 0 };
	_buf_ struct buf out = { 0 };
	struct operands operands;

	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	if (err)
		return err;
	struct json *top = say_json("doctor"), *list = json_array();
	for (size_t k = 0; k < countof(looks); k++) {
		struct finding f = { 0 };
		looks[k].run(&f);
		if (!f.ok)
			*status = 1;
		doctor_text(&looks[k], &f, &out);
		json_add(list, doctor_json(&looks[k], &f));
		buf_fini(&f.text);
		buf_fini(&f.fix);
	}
	json_set(top, "findings", list);
	if (o.json) {
		buf_reset(&out);
		err = json_write(top, true, &out);
	}
	json_free(top);
	return err ? err : say_result(&out);
}

static const struct opt doctor_opts[] = {
	{ "json", 0, NULL, "what was found as JSON",
	  OPT_FLAG, offsetof(struct doctor_options, json) },
	{ .name = NULL }
};

static const struct example doctor_examples[] = {
	{ PROGRAM " doctor", "look at this machine" },
	{ NULL, NULL }
};

static const struct exit_row doctor_exits[] = {
	{ 0, "nothing stands in the way" },
	{ 1, "something does: see the lines with \"warn\"" },
	{ 2, "usage" },
	{ 0, NULL }
};

const struct verb verb_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "Say what on this machine stands in the way",
	.text = "Looks at where cores go and whether they are written and "
		"whole, at what the kernel offers to jail the parser of "
		"foreign files, at ptrace, the store, gdb, debug files and the "
		"locale. A line that begins with \"warn\" is followed by the "
		"command that mends it; nothing is changed.\n\n"
		"With --json the result is an object with findings, a list of "
		"name, ok, text, fix.",
	.options = doctor_opts,
	.examples = doctor_examples,
	.exits = doctor_exits,
	.run = doctor_run,
};
