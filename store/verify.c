/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification from outside: each project is read by a process of its own,
 * which tells over a pipe what it found. When it ends before it said that it
 * is done, the file that it was reading has ended it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/verify.h"

/* What the process tells: a byte of these, u32 length, so many bytes. */
enum tell {
	TELL_FAULT = 'F',       /* a sentence */
	TELL_READS = 'R',       /* the path of a file */
	TELL_DONE = 'D',        /* u64 objects, u64 bytes */
	TELL_ERROR = 'E',       /* a byte of enum err_kind, a sentence */
};
#define TEXT_MAX 4096u

/* ---- the process that reads ---- */
struct teller {
	struct verify verify;
	int fd;
};

/** If the one who asked is gone, the next write ends this process. */
static void
tell(int fd, enum tell what, const void *data, size_t n)
{
	uint8_t head[5] = { what };

	if (n > TEXT_MAX)
		n = TEXT_MAX;
	for (size_t i = 0; i < 4; i++)
		head[1 + i] = n >> 8 * i;
	err_free(io_write(fd, head, sizeof(head)));
	err_free(io_write(fd, data, n));
}

static void
tell_fault(struct verify *v, const char *sentence)
{
	tell(((struct teller *)v)->fd, TELL_FAULT, sentence,
	     strlen(sentence));
}

static void
tell_reads(struct verify *v, const char *path)
{
	tell(((struct teller *)v)->fd, TELL_READS, path, strlen(path));
}

static void
tell_error(int fd, const struct err *err)
{
	_buf_ struct buf text = { 0 };
	const char *said = err_text(err);
	uint8_t kind = err_kind(err);

	buf_put(&text, &kind, 1);
	buf_puts(&text, said);
	if (!text.failed)
		tell(fd, TELL_ERROR, text.data, text.len);
}

/** A handle of this process: LMDB's are not carried over fork(). */
static struct err *
reopen(struct store *s, struct store **own)
{
	struct store_options options = s->options;

	options.create = false;
	if (!s->backend->ops->in_memory)
		return store_open(s->url, &options, own);
	s->pid = getpid();
	return NULL;
}

static struct err *
child_verify(struct store *s, const char *name, struct verify *v)
{
	_store_ struct store *own = NULL;
	struct err *err = reopen(s, &own);

	if (!err)
		err = verify_project(v, own ? own : s, name);
	/* What cannot even be opened because it is damaged is a fault. */
	if (err_kind(err) == ERR_DAMAGED) {
		v->fault(v, err_text(err));
		err_free(err);
		err = NULL;
	}
	return err;
}

static void
child_run(struct store *s, const char *name, int fd)
{
	struct teller t = { { .fault = tell_fault, .reads = tell_reads }, fd };
	const struct rlimit none = { 0, 0 };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_buf_ struct buf sums = { 0 };

	/* LMDB prints the assertion that a damaged tree fails. */
	if (null >= 0)
		dup2(null, STDERR_FILENO);
	setrlimit(RLIMIT_CORE, &none);
	_err_ struct err *err = child_verify(s, name, &t.verify);
	if (err)
		tell_error(fd, err);
	buf_u64(&sums, t.verify.sum.objects);
	buf_u64(&sums, t.verify.sum.bytes);
	tell(fd, TELL_DONE, sums.data, sums.len);
}

/* ---- who listens ---- */
struct listener {
	struct store *store;
	store_fault_fn *fault;
	void *arg;
	struct store_verified sum;
	char reads[TEXT_MAX + 1];       /* the file that is being read */
	bool done;
};

static void
listener_fault(struct listener *l, const char *sentence)
{
	l->sum.faults++;
	if (l->fault)
		l->fault(l->arg, sentence);
}

/** @text ends in a NUL behind its @n bytes. */
static struct err *
listener_take(struct listener *l, uint8_t what, const char *text, size_t n)
{
	struct rd r = rd_of(text, n);

	switch (what) {
	case TELL_FAULT:
		listener_fault(l, text);
		return NULL;
	case TELL_READS:
		memcpy(l->reads, text, n + 1);
		return NULL;
	case TELL_DONE:
		l->sum.objects += rd_u64(&r);
		l->sum.bytes += rd_u64(&r);
		l->done = true;
		return NULL;
	default:
		return err_new(rd_u8(&r), "%s", n ? text + 1 : "");
	}
}

/** False at the end: the process closed its side, if only by ending. */
static bool
read_all(int fd, void *out, size_t n)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = TEMP_FAILURE_RETRY(read(fd, (uint8_t *)out + done,
					      n - done));
		if (got <= 0)
			return false;
		done += got;
	}
	return true;
}

static struct err *
listen_to(struct listener *l, int fd)
{
	uint8_t head[5];
	char text[TEXT_MAX + 1];
	struct err *err = NULL;

	while (!err && read_all(fd, head, sizeof(head))) {
		struct rd r = rd_of(head + 1, 4);
		uint32_t n = rd_u32(&r);

		if (n > TEXT_MAX || !read_all(fd, text, n))
			break;
		text[n] = '\0';
		err = listener_take(l, head[0], text, n);
	}
	return err;
}

static void
blame_file(struct listener *l, const char *name, int status)
{
	_buf_ struct buf text = { 0 };

	buf_printf(&text, "%s: damaged so that the process that read it "
		   "ended", l->reads[0] ? l->reads : name);
	if (WIFSIGNALED(status))
		buf_printf(&text, " (%s)", strsignal(WTERMSIG(status)));
	if (!text.failed)
		listener_fault(l, text.data);
}

static struct err *
verify_apart(void *arg, const char *name)
{
	struct listener *l = arg;
	int ends[2], status = 0;
	pid_t pid;

	l->done = false;
	l->reads[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno("pipe");
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		child_run(l->store, name, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	struct err *err = pid < 0 ? err_errno("fork") :
			  listen_to(l, ends[0]);
	close(ends[0]);
	if (pid > 0)
		TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
	if (!err && !l->done)
		blame_file(l, name, status);
	return err;
}

struct err *
store_verify(struct store *s, const char *project, store_fault_fn *fault,
	     void *arg, struct store_verified *out)
{
	_free_ struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return err_nomem();
	*l = (struct listener){ .store = s, .fault = fault, .arg = arg };
	struct err *err = store_each_project(s, project, verify_apart, l);
	if (!err)
		*out = l->sum;
	return err;
}
