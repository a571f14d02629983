/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets READY: holds canaries on its stack, heap, over a border of chunks, in
 * its environment, in a variable and in one of the thread, none of them in
 * its file; makes the file READY, holds some descriptors, and waits.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

char variable[64];
__thread char of_thread[64];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inherits;
static char *heap, *border;

/* In two halves, so that the whole is in no file. */
static void
compose(char *out, const char *head, const char *tail)
{
	strcpy(out, head);
	strcat(out, "canary-");
	strcat(out, tail);
}

static void *
wait_for(void *arg)
{
	prctl(PR_SET_NAME, arg ? "a\n\033[31mb\t" : "waits");
	pthread_mutex_lock(arg ? arg : &mutex);
	return NULL;
}

static void
open_sockets(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	int tcp = socket(AF_INET, SOCK_STREAM, 0), pair[2];
	struct epoll_event e = { 0 };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (tcp < 0 || bind(tcp, (struct sockaddr *)&a, sizeof(a)) < 0
	    || listen(tcp, 1) < 0)
		exit(1);
	int unix_ = socket(AF_UNIX, SOCK_DGRAM, 0);
	memcpy(u.sun_path + 1, "inquest secrets", 15);
	bind(unix_, (struct sockaddr *)&u, sizeof(sa_family_t) + 16);
	socket(AF_INET6, SOCK_DGRAM, 0);
	int poll = epoll_create1(0);
	if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, tcp, &e) < 0
	    || eventfd(7, 0) < 0 || pipe(pair) < 0
	    || open("/proc/self/exe", O_RDONLY) < 0)
		exit(1);
}

int
main(int argc, char **argv)
{
	pthread_mutexattr_t attr;
	pthread_t thread;
	char stack[64];

	if (argc != 2)
		return 2;
	compose(stack, "KEY-stack-", "0123");
	heap = malloc(64);
	compose(heap, "KEY-heap-", "4567");
	char *two = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	border = two + (1 << 16) - 7;
	compose(border, "KEY-border-", "89");
	compose(variable, "variable-", "ab");
	compose(of_thread, "thread-", "cd");
	char *copy = strdup(getenv("CANARY_TOKEN") ? getenv("CANARY_TOKEN")
						  : "");
	char later[64];
	compose(later, "later-", "ef");
	setenv("LATER_TOKEN", later, 1);
	memset(later, 0, sizeof(later));
	open_sockets();
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&inherits, &attr);
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&inherits);
	pthread_create(&thread, NULL, wait_for, NULL);
	pthread_create(&thread, NULL, wait_for, &inherits);
	close(open(argv[1], O_CREAT | O_WRONLY, 0600));
	for (;;)
		pause();
	return stack[0] + copy[0];
}
