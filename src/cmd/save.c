/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save.c: the jailed writer, and what becomes of what it wrote.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/home.h"
#include "cmd/progress.h"
#include "cmd/save.h"
#include "inspect/skeleton.h"
#include "serve/serve.h"
#include "snapfmt/snapfmt.h"

/* What the child tells of one file: a piece a chunk, attributes. */
#define TOLD_MAX (256u << 20)
/* Bytes from one look at what the disk has left to the next. */
#define ROOM_STEP (16u << 20)
/* Bytes that are sent to the disk at once. */
#define SEND_STEP (1u << 20)

/* One run. What the child tells is a struct saved, then, for a store, what
   ingest_describe() makes. */
struct saving {
	const struct save *save;
	struct progress progress;
	int out;                /* the file to write */
	uint64_t written;       /* bytes, of a snapshot */
	uint64_t look;          /* when room is looked for again */
	uint64_t sent;          /* bytes that are on their way to the disk */
	bool synced;            /* it is to be there before anybody is told */
	int tell;               /* a file in memory */
	bool describe;
};

/* ---- the jailed side ---- */

/* What the end would wait for begins meanwhile; nothing depends on it. */
static void
saving_send(struct saving *j)
{
	if (!j->synced || j->written - j->sent < SEND_STEP)
		return;
	(void)sync_file_range(j->out, (off_t)j->sent,
			      (off_t)(j->written - j->sent),
			      SYNC_FILE_RANGE_WRITE);
	j->sent = j->written;
}

static struct err *
saving_sink(void *arg, const void *data, size_t n)
{
	struct saving *j = arg;
	uint64_t more = j->written + n;
	struct err *err = NULL;

	if (more > j->look)
		err = room_check(&j->save->room, j->out, j->written, more);
	if (err)
		return err;
	/* A limit of the file is kept to the byte, that of the disk nearly. */
	j->look = j->save->room.max ? more : more + ROOM_STEP;
	j->written = more;
	err = io_write(j->out, data, n);
	if (!err)
		saving_send(j);
	return err;
}

static struct err *
saving_snapshot(struct subject *s, struct saving *j, struct capture_counts *out)
{
	struct capture_options options = j->save->options;

	options.source = insp_target(s->insp)->ops->kind;
	options.source_name = s->path;
	options.progress = progress_show;
	options.progress_arg = &j->progress;
	struct err *err = capture_save(s->insp, &options, saving_sink, j, out);
	progress_end(&j->progress);
	return err;
}

static struct err *
saving_write(struct subject *s, struct saving *j, struct saved *out)
{
	struct err *err = subject_open(s);

	if (!err && j->save->write)
		err = j->save->write(s->insp, j->out, &out->counts);
	else if (!err)
		err = saving_snapshot(s, j, &out->counts);
	if (err)
		return err;
	const struct target *t = insp_target(s->insp);
	off_t size = lseek(j->out, 0, SEEK_END);
	if (size < 0)
		return err_errno("cannot tell the size of what was written");
	subject_tell_damage(s);
	out->pid = t->process.pid;
	out->size = (uint64_t)size;
	out->damaged = subject_damaged(s);
	snprintf(out->name, sizeof(out->name), "%s",
		 t->process.name ? t->process.name : "");
	return NULL;
}

/* A record for the store, of the file that is to be kept. */
static struct err *
saving_describe(struct subject *s, struct saving *j, const struct saved *saved,
		struct buf *record)
{
	_source_ struct source *written = NULL;

	if (saved->kept)
		return ingest_describe(s->src, record);
	struct err *err = source_fd(j->out, s->path, &written);
	return err ? err : ingest_describe(written, record);
}

static struct err *
saving_work(struct subject *s, void *arg)
{
	struct saving *j = arg;
	struct saved saved = { 0 };
	_buf_ struct buf record = { 0 };
	struct err *err = NULL;

	saved.symbols = j->save->keep && symfile_is(s->src);
	if (j->save->keep && (saved.symbols || snap_is(s->src))) {
		saved.kept = true;
		saved.size = source_size(s->src);
	} else {
		err = saving_write(s, j, &saved);
	}
	if (!err && j->describe)
		err = saving_describe(s, j, &saved, &record);
	/* Told at the end, so that whoever hears it knows that all is well. */
	if (!err)
		err = io_write(j->tell, &saved, sizeof(saved));
	return err ? err : io_write(j->tell, record.data, record.len);
}

/* ---- the parent ---- */

/* The child leaves a terminal's SIGINT to us: it dies when we do. */
static struct err *
saving_start(const struct session_options *o, struct session **out)
{
	sigset_t interrupt, before;

	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	sigprocmask(SIG_BLOCK, &interrupt, &before);
	struct err *err = session_start(o, out);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

/* Has the one SIGINT come to @fd that ends nothing? The next one will. */
static bool
save_is_spared(const struct save *s, int fd)
{
	struct signalfd_siginfo info;
	sigset_t pending;

	if (fd < 0 || !s->patience || !*s->patience || sigpending(&pending) < 0
	    || !sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM)
	    || sigismember(&pending, SIGHUP)
	    || read(fd, &info, sizeof(info)) != sizeof(info))
		return false;
	*s->patience = 0;
	signal(SIGINT, SIG_DFL);
	return true;
}

/* Run the child until it ends or @quit polls readable. */
static struct err *
saving_run(struct saving *j, int quit, int *status)
{
	struct session_options o = j->save->session;
	const int keep[] = { j->out, j->tell };
	struct session *s;

	o.keep = keep;
	o.n_keep = countof(keep);
	o.work = saving_work;
	o.arg = j;
	progress_init(&j->progress);
	struct err *err = saving_start(&o, &s);
	if (err)
		return err;
	do
		err_free(session_serve(s, quit));
	while (save_is_spared(j->save, quit));
	struct pollfd asked = { .fd = quit, .events = POLLIN };
	if (poll(&asked, 1, 0) > 0)
		session_kill(s);
	return session_end(s, status);
}

/* What the child told; what follows the struct saved is in @a. */
static struct err *
saving_hear(const struct saving *j, struct arena *a, struct saved *out,
	    struct span *record)
{
	_source_ struct source *told = NULL;
	int fd = dup(j->tell);

	if (fd < 0)
		return err_errno("cannot read what was told");
	struct err *err = source_fd(fd, "what the child told", &told);
	if (!err)
		err = source_read(told, 0, sizeof(*out), out);
	if (!err && record)
		err = source_load(told, sizeof(*out),
				  source_size(told) - sizeof(*out), TOLD_MAX,
				  a, record);
	out->name[SAVE_NAME_SIZE - 1] = '\0';
	out->kept = out->kept && j->save->keep;
	return err;
}

static struct err *
saving_open_tell(struct saving *j)
{
	j->tell = memfd_create("told", MFD_CLOEXEC);
	return j->tell >= 0 ? NULL : err_errno("cannot make a file in memory");
}

/* ---- into a file ---- */

/*
 * A descriptor that tells of signals that would end us, so that a file with a
 * temporary name is removed first.
 */
static struct err *
save_catch(sigset_t *before, int *fd)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, before);
	*fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd >= 0 ? NULL : err_errno("cannot wait for signals");
}

/* Die of the signal that was caught, if one was; then nothing is left. */
static void
save_die(const struct save *s, struct outfile *file, int fd,
	 const sigset_t *before)
{
	struct signalfd_siginfo info;

	if (save_is_spared(s, fd) || read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	outfile_drop(file);
	sigprocmask(SIG_SETMASK, before, NULL);
	raise((int)info.ssi_signo);
}

static struct err *
save_place(const struct place *place, struct outfile *file,
	   const struct saved *s, struct buf *path)
{
	_buf_ struct buf stem = { 0 };

	buf_printf(&stem, "%s.%llu", place->stem ? place->stem
		   : *s->name ? s->name : "process",
		   (unsigned long long)s->pid);
	struct err *err = buf_err(&stem);
	return err ? err : place_put(place, file, stem.data, path);
}

struct err *
save_file(const struct save *s, const struct place *place, struct saved *out,
	  struct buf *path, int *status)
{
	_outfile_ struct outfile file = OUTFILE_NONE;
	struct saving j = { .save = s, .out = -1, .tell = -1 };
	_close_ int signals = -1, tell = -1;
	sigset_t before;

	struct err *err = outfile_open(place->dir, &file);
	if (!err)
		err = saving_open_tell(&j);
	if (err)
		return err;
	tell = j.tell;
	j.synced = true;
	j.out = file.fd;
	err = save_catch(&before, &signals);
	if (!err)
		err = saving_run(&j, signals, status);
	save_die(s, &file, signals, &before);
	if (!err && (*status == 0 || *status == 6)) {
		_err_ struct err *unheard = saving_hear(&j, NULL, out, NULL);
		if (!unheard)
			err = save_place(place, &file, out, path);
	}
	save_die(s, &file, signals, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

/* ---- into a store ---- */

/* Is there room for @size bytes more? What the store shares is not known. */
static struct err *
save_check_room(const struct save_store *where, const struct room *room,
		uint64_t size)
{
	_free_ char *dir = NULL;

	struct err *err = home_dir(where->dir, &dir);
	if (err)
		return err;
	_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct room free_only = { .free = room->free };
	return fd < 0 ? NULL : room_check(&free_only, fd, 0, size);
}

/* Takes @fd; @told is what was told of it. */
static struct err *
save_put(const struct save *s, const struct save_store *where, int fd,
	 const struct store_put *told, struct store_added *added)
{
	_source_ struct source *file = NULL;
	_store_ struct store *store = NULL;
	struct progress progress;

	struct err *err = source_fd(fd, s->session.snap, &file);
	if (!err)
		err = home_open(where->dir, true, &store);
	if (!err)
		err = save_check_room(where, &s->room, source_size(file));
	if (err)
		return err;
	progress_init(&progress);
	struct store_put put = *told;
	put.project = where->project;
	put.file = file;
	put.tags = where->tags;
	put.n_tags = where->n_tags;
	put.progress = progress_show;
	put.progress_arg = &progress;
	err = store_put(store, &put, added);
	progress_end(&progress);
	/* An object that was there before has the tags it had. */
	if (!err && added->known && where->n_tags)
		err = store_tag(store, &added->ref, where->tags, where->n_tags,
				NULL, 0);
	return err;
}

static struct err *
save_heard(const struct saving *j, const struct save_store *where,
	   struct saved *out, struct store_added *added, bool *done)
{
	_arena_ struct arena *a = arena_new(0);
	struct store_put put = { 0 };
	struct span record;

	if (!a)
		return err_nomem();
	_err_ struct err *unheard = saving_hear(j, a, out, &record);
	/* Then the child has said why. */
	if (unheard)
		return NULL;
	struct err *err = ingest_read(record, a, &put);
	if (err)
		return err;
	int fd = dup(out->kept ? j->save->session.opened->fd : j->out);
	if (fd < 0)
		return err_errno("cannot read what was written");
	err = save_put(j->save, where, fd, &put, added);
	*done = !err;
	return err;
}

struct err *
save_object(const struct save *s, const struct save_store *where,
	    struct saved *out, struct store_added *added, bool *done,
	    int *status)
{
	struct saving j = { .save = s, .out = -1, .tell = -1,
			    .describe = true };
	_close_ int scratch = -1, tell = -1;

	*done = false;
	struct err *err = outfile_scratch(&scratch);
	if (!err)
		err = saving_open_tell(&j);
	if (err)
		return err;
	tell = j.tell;
	j.out = scratch;
	err = saving_run(&j, -1, status);
	if (err || (*status != 0 && *status != 6))
		return err;
	return save_heard(&j, where, out, added, done);
}

struct err *
save_read(const struct save_words *w, const char *snap, struct place *place,
	  struct save_store *where)
{
	where->dir = w->store;
	where->project = w->project ? w->project : HOME_PROJECT;
	if (!!w->put + !!w->output + !!w->prefix > 1)
		return err_new(ERR_USAGE, "%s and %s are two places; use one",
			       w->put ? "--put" : "-O", w->output ? "--output"
							: "-O");
	if (!w->put && (w->project || w->store))
		return err_new(ERR_USAGE, "--project and --store say where in "
			       "a store it goes; they need --put");
	if (w->prefix)
		return place_prefix(w->prefix, place);
	return w->put ? home_check_name("project", where->project)
		      : place_find(w->output, snap, place);
}

/* ---- what is said about it ---- */

void
save_tell(const struct saved *s)
{
	_buf_ struct buf sizes = { 0 };

	buf_size(&sizes, s->counts.memory);
	buf_puts(&sizes, " of memory in ");
	buf_size(&sizes, s->size);
	say("%llu threads, %llu frames, %llu modules, %s",
	    (unsigned long long)s->counts.threads,
	    (unsigned long long)s->counts.frames,
	    (unsigned long long)s->counts.modules, sizes.data);
}

void
save_tell_next(const char *store, const char *verb, const char *word)
{
	_buf_ struct buf command = { 0 }, shown = { 0 };

	if (store) {
		buf_puts(&command, "INQUEST_STORE=");
		say_quoted(&command, store);
		buf_putc(&command, ' ');
	}
	buf_printf(&command, PROGRAM " %s ", verb);
	say_quoted(&command, word);
	buf_escape(&shown, command.data ? command.data : "", command.len);
	say("next: %s", shown.data ? shown.data : "");
}

void
save_json(const struct saved *s, struct json *top)
{
	json_set(top, "bytes", json_u64(s->size));
	json_set(top, "pid", json_u64(s->pid));
	json_set(top, "threads", json_u64(s->counts.threads));
	json_set(top, "frames", json_u64(s->counts.frames));
	json_set(top, "modules", json_u64(s->counts.modules));
	json_set(top, "memory", json_u64(s->counts.memory));
	json_set(top, "absent", json_u64(s->counts.absent));
	json_set(top, "damaged", json_bool(s->damaged));
}
