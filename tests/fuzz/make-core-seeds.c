/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seeds of fuzz-core into a directory: `make core-seeds`.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../unit/make-core.h"

static int
save(const char *dir, const char *name, struct buf *b)
{
	_buf_ struct buf path = { 0 };
	_close_ int fd = -1;

	buf_printf(&path, "%s/%s", dir, name);
	fd = open(path.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	_err_ struct err *err = fd < 0 ? err_errno("%s", path.data)
				       : io_write(fd, b->data, b->len);
	if (err)
		fprintf(stderr, "%s\n", err_text(err));
	buf_fini(b);
	return err ? 1 : 0;
}

static int
linked(const char *dir, const char *name, uint64_t last_next)
{
	struct buf b = { 0 };

	make_linked_core(last_next, &b);
	return save(dir, name, &b);
}

static int
threads(const char *dir)
{
	static const char page[512] = "stack";
	struct make_core m = { 0 };
	struct buf b = { 0 };

	for (uint32_t tid = 1; tid < 4; tid++)
		make_thread(&m, tid, 11, 0x401000 + tid, 0x7000 + tid * 16);
	make_process(&m, 1, "threads", "threads");
	make_segment(&m, 0x7000, 0x1000, PF_R | PF_W, page, sizeof(page));
	make_segment(&m, 0x7100, 0x1000, PF_R | PF_X, page, sizeof(page));
	make_core(&m, &b);
	return save(dir, "threads", &b);
}

/* Signed return addresses, a frame record, a signal's trampoline. */
static int
aarch64(const char *dir)
{
	static const uint32_t text[128] = {
		0xd2801168, 0xd4000001, 0xd63f0020, 0xb9400000, 0xd65f03c0,
	};
	uint64_t stack[128] = { 0x7040, 0x2f00000040100c, [39 + 29] = 0x7300,
				[39 + 31] = 0x7300, [39 + 32] = 0x40100c };
	uint64_t status[49] = { [4] = 1, [14 + 29] = 0x7000,
				[14 + 30] = 0x40100c, [14 + 31] = 0x7000,
				[14 + 32] = 0x401000 };
	uint64_t words[66] = { 0x7000, 0x7f000000000000 };
	struct make_core m = { .machine = EM_AARCH64 };
	struct buf b = { 0 };

	make_note(&m, "CORE", NT_PRSTATUS, status, sizeof(status));
	make_note(&m, "CORE", NT_FPREGSET, words, sizeof(words));
	make_note(&m, "LINUX", 0x401, words, 8);        /* NT_ARM_TLS */
	make_note(&m, "LINUX", 0x405, words, sizeof(words));    /* … SVE */
	make_note(&m, "LINUX", 0x406, words, 16);       /* … PAC_MASK */
	status[14 + 32] = 0x401010;
	make_note(&m, "CORE", NT_PRSTATUS, status, sizeof(status));
	make_segment(&m, 0x401000, 0x1000, PF_R | PF_X, text, sizeof(text));
	make_segment(&m, 0x7000, 0x1000, PF_R | PF_W, stack, sizeof(stack));
	make_core(&m, &b);
	return save(dir, "aarch64", &b);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	return linked(argv[1], "linked", 0)
	       | linked(argv[1], "chain-cut", 0xdead0000)
	       | linked(argv[1], "chain-circle", 0x555555558200)
	       | threads(argv[1]) | aarch64(argv[1]);
}
