/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made served|hosted RECORDING: the process of make-served.h, or the snapshots
 * of make-hosted.h without a token, for one debugger. Listens on a free port of
 * loopback, prints it, and writes down what is said. The same on every machine.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/record.h"
#include "tests/unit/make-hosted.h"

static int
wait_client(void)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(a);
	_close_ int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0
	    || listen(listener, 1) < 0
	    || getsockname(listener, (struct sockaddr *)&a, &size) < 0)
		return -1;
	printf("%u\n", ntohs(a.sin_port));
	fflush(stdout);
	return accept(listener, NULL, NULL);
}

static struct err *
talk(struct stub *s, int fd, struct recorder *r)
{
	struct record_mask mask = { 0 };
	char bytes[4096];
	ssize_t n;

	while (!stub_done(s) && (n = read(fd, bytes, sizeof(bytes))) > 0) {
		_buf_ struct buf out = { 0 };

		struct err *err = record_said(r, &mask, 1, (struct span){
			bytes, (size_t)n });
		if (!err)
			err = stub_feed(s, bytes, (size_t)n, &out);
		if (!err)
			err = record_sent(r, 1, (struct span){ out.data,
							       out.len });
		if (!err && out.len)
			err = io_write(fd, out.data, out.len);
		if (err)
			return err;
	}
	return record_end(r, &mask, 1);
}

static struct err *
serve(struct stub *s, const char *path)
{
	struct recorder r;
	_close_ int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
				0600);
	_close_ int fd = wait_client();

	if (file < 0 || fd < 0)
		return err_errno("cannot write %s, or listen", path);
	struct err *err = record_begin(&r, file, 0, "rsp");
	return err ? err : talk(s, fd, &r);
}

static struct err *
serve_made(const char *what, const char *path)
{
	const struct stub_options options = { .title = "made" };
	struct err *err;

	if (strcmp(what, "hosted") == 0) {
		struct hosted h;

		hosted_init(&h);
		err = hosted_start(&h, false);
		if (!err)
			err = serve(h.session.stub, path);
		hosted_close(&h);
	} else {
		struct served s;

		served_init(&s);
		err = served_open(&s, &options);
		if (!err)
			err = serve(s.stub, path);
		served_close(&s);
	}
	return err;
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	_err_ struct err *err = serve_made(argv[1], argv[2]);
	if (err)
		fprintf(stderr, "%s\n", err_text(err));
	return err_exit_status(err);
}
