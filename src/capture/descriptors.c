/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptors.c: what the descriptors of a process are.
 */
#include "capture/around.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TOLD_MAX 4096u          /* descriptors that are told of one by one */
#define NET_MAX (1u << 20)      /* bytes of one text of sockets */
#define NET_FIRST (64u << 10)
#define LINK_SIZE 512u
#define INFO_NS 15000000u       /* then flags and positions stay unknown */
#define INFO_SIZE 2048u

struct descriptor {
	unsigned number;
	bool is_socket;
	uint64_t inode;                 /* of a socket */
	char protocol[16];              /* the kernel's name; "" = unknown */
	const char *target, *detail;    /* or NULL */
};
struct table {
	struct shot *shot;
	struct vec all;                 /* struct descriptor, by number */
	struct descriptor **sockets;    /* by inode */
	size_t n_sockets;
	struct spell spell;
};

/* ---- listing ----------------------------------------------------------- */
/* Which table a socket is in: to read all of them takes milliseconds. */
static void
read_protocol(const struct table *t, struct descriptor *d)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/fd/%u",
		 t->shot->proc.dir, d->number);
	ssize_t n = getxattr(path, "system.sockprotoname", d->protocol,
			     sizeof(d->protocol) - 1);
	d->protocol[n > 0 ? n : 0] = '\0';
}

static struct err *
add(struct table *t, int dir, const char *name)
{
	char target[LINK_SIZE];
	struct shot *s = t->shot;

	if (t->all.n >= TOLD_MAX)
		return NULL;
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	/* Closed in the meantime. */
	if (n < 0)
		return NULL;
	target[n] = '\0';
	struct descriptor *d = vec_add(&t->all, s->arena, sizeof(*d));
	if (!d)
		return err_nomem();
	d->number = (unsigned)strtoul(name, NULL, 10);
	d->is_socket = text_socket_link(target, &d->inode);
	if (d->is_socket)
		read_protocol(t, d);
	d->target = arena_strdup(s->arena, target);
	return d->target ? NULL : err_nomem();
}

static struct err *
list(struct table *t)
{
	int fd = openat(t->shot->proc.dir, "fd", O_RDONLY | O_DIRECTORY
						 | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct err *err = NULL;
	struct dirent *e;

	if (!dir) {
		base_close(&fd);
		return NULL;
	}
	while (!err && (e = readdir(dir))) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		t->shot->descriptors++;
		err = add(t, fd, e->d_name);
	}
	closedir(dir);
	return err;
}

/* ---- sockets ----------------------------------------------------------- */
static int
inode_order(const void *a, const void *b)
{
	const struct descriptor *const *x = a, *const *y = b;

	return ((*x)->inode > (*y)->inode) - ((*x)->inode < (*y)->inode);
}

static struct err *
sort_sockets(struct table *t)
{
	struct descriptor *all = t->all.data;

	t->sockets = arena_array(t->shot->arena, t->all.n + 1,
				 sizeof(struct descriptor *));
	if (!t->sockets)
		return err_nomem();
	for (size_t k = 0; k < t->all.n; k++)
		if (all[k].is_socket)
			t->sockets[t->n_sockets++] = &all[k];
	if (t->n_sockets)
		qsort(t->sockets, t->n_sockets, sizeof(struct descriptor *),
		      inode_order);
	return NULL;
}

/* The first with @inode, or NULL; those with the same one follow. */
static struct descriptor **
find_inode(const struct table *t, uint64_t inode)
{
	size_t low = 0, high = t->n_sockets;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (t->sockets[mid]->inode < inode)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->n_sockets && t->sockets[low]->inode == inode
	       ? &t->sockets[low] : NULL;
}

/* Of TCP; UDP has two of them (include/net/tcp_states.h of the kernel). */
static const char *
inet_state(const char *protocol, unsigned state)
{
	static const char *const names[] = {
		"?", "established", "syn-sent", "syn-recv", "fin-wait-1",
		"fin-wait-2", "time-wait", "close", "close-wait", "last-ack",
		"listen", "closing", "syn-recv",
	};

	if (protocol[0] == 'u' && state == 7)
		return "unconnected";
	return names[state < countof(names) ? state : 0];
}

static void
describe_inet(const char *protocol, const struct text_socket *x,
	      struct buf *out)
{
	buf_printf(out, "%s %s -> %s %s", protocol, x->local, x->remote,
		   inet_state(protocol, x->state));
}

static void
describe_unix(const char *protocol, const struct text_socket *x,
	      struct buf *out)
{
	static const char *const types[] = {
		[SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram",
		[SOCK_SEQPACKET] = "seqpacket",
	};
	static const char *const states[] = {
		"?", "unconnected", "connecting", "connected", "disconnecting",
	};
	const char *type = x->type < countof(types) ? types[x->type] : NULL;

	buf_printf(out, "%s %s %s", protocol, type ? type : "?",
		   x->listens ? "listen"
		   : states[x->state < countof(states) ? x->state : 0]);
	if (x->path.n)
		buf_putc(out, ' ');
	buf_escape(out, x->path.n ? x->path.data : "", x->path.n);
}

static const struct net {
	const char *text, *protocol;    /* the latter ends, or goes on "-" */
	bool (*parse)(struct span line, struct text_socket *out);
	void (*describe)(const char *protocol, const struct text_socket *x,
			 struct buf *out);
} nets[] = {
	{ "net/tcp", "TCP", text_inet, describe_inet },
	{ "net/tcp6", "TCPv6", text_inet, describe_inet },
	{ "net/udp", "UDP", text_inet, describe_inet },
	{ "net/udp6", "UDPv6", text_inet, describe_inet },
	{ "net/unix", "UNIX", text_unix, describe_unix },
};

static struct err *
settle(struct table *t, const struct net *net, struct descriptor **d,
       const struct text_socket *x)
{
	_buf_ struct buf b = { 0 };

	net->describe(net->text + strlen("net/"), x, &b);
	struct err *err = buf_err(&b);
	const char *detail = err ? NULL : arena_strdup(t->shot->arena, b.data);
	if (!err && !detail)
		err = err_nomem();
	for (; !err && d < t->sockets + t->n_sockets
	       && (*d)->inode == x->inode; d++)
		(*d)->detail = detail;
	return err;
}

/* Does a socket without description belong into this table? */
static bool
is_needed(const struct table *t, const struct net *net)
{
	size_t n = strlen(net->protocol);

	for (size_t k = 0; k < t->n_sockets; k++) {
		const char *p = t->sockets[k]->protocol;

		if (t->sockets[k]->detail)
			continue;
		if (!*p || (strncmp(p, net->protocol, n) == 0
			    && (!p[n] || p[n] == '-')))
			return true;
	}
	return false;
}

/* Of all sockets of the network namespace those that it has. */
static struct err *
take_lines(struct table *t, const struct net *net, struct span text,
	   struct buf *own)
{
	struct err *err = NULL;
	struct text_socket x;
	struct span line;

	while (!err && text_line(&text, &line)) {
		struct descriptor **d = net->parse(line, &x) && x.inode
					? find_inode(t, x.inode) : NULL;
		if (!d)
			continue;
		err = settle(t, net, d, &x);
		buf_put(own, line.data, line.n);
		buf_putc(own, '\n');
	}
	return err ? err : buf_err(own);
}

/*
 * The kernel goes through the whole of its table for every read, also for
 * the one that finds the end: it is only made where something is missing.
 */
static struct err *
read_net(struct table *t, const struct net *net)
{
	_buf_ struct buf all = { 0 }, own = { 0 };
	_free_ char *first = malloc(NET_FIRST);
	struct span heading;

	if (!is_needed(t, net))
		return NULL;
	if (!first)
		return err_nomem();
	struct span text = { first, proc_read_some(&t->shot->proc, net->text,
						   first, NET_FIRST) };
	if (!text_line(&text, &heading))
		return NULL;
	struct err *err = take_lines(t, net, text, &own);
	if (!err && is_needed(t, net)) {
		buf_reset(&own);
		_err_ struct err *none = proc_read(&t->shot->proc, net->text,
						   NET_MAX, &all);
		if (none)
			return NULL;
		text = (struct span){ all.data, all.len };
		err = take_lines(t, net, text, &own);
	}
	if (err || !own.len)
		return err;
	buf_reset(&all);
	buf_put(&all, heading.data, heading.n);
	buf_putc(&all, '\n');
	buf_put(&all, own.data, own.len);
	err = buf_err(&all);
	return err ? err : around_text(t->shot, net->text, all.data, all.len);
}

/* ---- the rest ---------------------------------------------------------- */
/* Lines of fdinfo that say what a descriptor is: their value, or how many. */
static const struct {
	const char *key, *shown;
	bool counted;
} infos[] = {
	{ "eventfd-count:", "count", false },
	{ "tfd:", "watched", true },
	{ "inotify ", "watches", true },
	{ "fanotify ", "marks", true },
	{ "Pid:", "pid", false },
	{ "sigmask:", "mask", false },
	{ "clockid:", "clock", false },
	{ "lock:", "locks", true },
};

static void
put_value(struct buf *out, const char *value, size_t n)
{
	while (n && (*value == ' ' || *value == '\t')) {
		value++;
		n--;
	}
	buf_escape(out, value, n);
}

static void
put_infos(struct buf *out, struct span text, bool cut)
{
	for (size_t k = 0; k < countof(infos); k++) {
		size_t n = strlen(infos[k].key), count = 0;
		struct span rest = text, line;

		while (text_line(&rest, &line)) {
			if (line.n < n
			    || memcmp(line.data, infos[k].key, n) != 0)
				continue;
			if (count++ || infos[k].counted)
				continue;
			buf_printf(out, " %s ", infos[k].shown);
			put_value(out, (const char *)line.data + n,
				  line.n - n);
		}
		if (count && infos[k].counted)
			buf_printf(out, " %s %zu%s", infos[k].shown, count,
				   cut ? " or more" : "");
	}
}

/* Numbers as the kernel writes them: flags are octal. */
static void
put_field(struct buf *out, struct span text, const char *name)
{
	struct span value;

	buf_putc(out, '\t');
	if (text_status(text, name, &value))
		put_value(out, value.data, value.n);
	else
		buf_putc(out, '-');
}

static void
put_descriptor(const struct table *t, const struct descriptor *d,
	       struct buf *out)
{
	char name[32], info[INFO_SIZE];

	snprintf(name, sizeof(name), "fdinfo/%u", d->number);
	size_t n = spell_is_over(&t->spell) ? 0
		   : proc_read_some(&t->shot->proc, name, info, sizeof(info));
	const struct span text = { info, n };
	buf_printf(out, "%u", d->number);
	put_field(out, text, "flags");
	put_field(out, text, "pos");
	buf_putc(out, '\t');
	buf_escape(out, d->target, strlen(d->target));
	buf_putc(out, '\t');
	if (d->detail || d->is_socket)
		buf_puts(out, d->detail ? d->detail : d->protocol);
	if (!d->is_socket)
		put_infos(out, text, n == sizeof(info));
	buf_putc(out, '\n');
}

struct err *
around_descriptors(struct shot *s)
{
	struct table t = { .shot = s };
	_buf_ struct buf out = { 0 };

	struct err *err = list(&t);
	if (!err)
		err = sort_sockets(&t);
	for (size_t k = 0; k < countof(nets) && t.n_sockets && !err; k++)
		err = read_net(&t, &nets[k]);
	if (err || !t.all.n)
		return err;
	const struct descriptor *all = t.all.data;
	t.spell = spell_begin(INFO_NS);
	buf_puts(&out, "fd\tflags\tpos\ttarget\tdetail\n");
	for (size_t k = 0; k < t.all.n; k++)
		put_descriptor(&t, &all[k], &out);
	if (s->descriptors > t.all.n)
		buf_printf(&out, "and %llu more\n",
			   (unsigned long long)(s->descriptors - t.all.n));
	err = buf_err(&out);
	return err ? err : around_text(s, "fd", out.data, out.len);
}
