/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process made of records, served by a stub.
 */
#include "make-served.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 0x1000u
#define LIBRARY_DYNAMIC 0x8100u
#define LINK_MAP 0x1800u
#define MAIN_LINK_MAP 0x1700u

uint8_t
served_byte(uint64_t addr)
{
	return (uint8_t)(addr * 7 + (addr >> 8));
}

/* ---- registers: struct user_regs_struct and the FXSAVE area ------------ */
struct registers {
	uint64_t general[27];
	uint8_t floats[512];
};

static void
fill_registers(struct registers *r, uint64_t n)
{
	enum { R15, R14, R13, R12, RBP, RBX, RAX = 10, ORIG_RAX = 15,
	       RIP = 16, RSP = 19, FS_BASE = 21 };

	for (size_t k = 0; k < countof(r->general); k++)
		r->general[k] = 0x100 * n + k;
	r->general[RIP] = 0x1000 + 0x10 * n;
	r->general[RSP] = 0x2000 + 0x100 * n;
	r->general[RBP] = 0x2010 + 0x100 * n;
	r->general[FS_BASE] = 0x5000 + 0x100 * n;
	r->floats[0] = 0x7f;            /* fctrl 0x37f */
	r->floats[1] = 0x03;
	for (size_t k = 0; k < 16; k++)
		r->floats[160 + k] = (uint8_t)(k + n);
}

static const struct snap_regset *
regsets_of(size_t n)
{
	static struct registers registers[SERVED_THREADS];
	static struct snap_regset sets[SERVED_THREADS][2];

	fill_registers(&registers[n], n);
	sets[n][0] = (struct snap_regset){
		NT_PRSTATUS, { registers[n].general,
			       sizeof(registers[n].general) } };
	sets[n][1] = (struct snap_regset){
		NT_FPREGSET, { registers[n].floats,
			       sizeof(registers[n].floats) } };
	return sets[n];
}

/* ---- an ELF file with a build-id --------------------------------------- */
static void
make_elf(uint8_t *page, uint8_t id, const char *words)
{
	enum { NOTE = 0x400, WORDS = 0x800 };
	Elf64_Ehdr eh = {
		.e_type = ET_DYN, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	Elf64_Phdr ph = { .p_type = PT_NOTE, .p_offset = NOTE,
			  .p_vaddr = NOTE, .p_filesz = 36, .p_memsz = 36,
			  .p_align = 4 };
	Elf64_Nhdr note = { 4, 20, NT_GNU_BUILD_ID };

	memset(page, 0, PAGE);
	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(page, &eh, sizeof(eh));
	memcpy(page + sizeof(eh), &ph, sizeof(ph));
	memcpy(page + NOTE, &note, sizeof(note));
	memcpy(page + NOTE + 12, "GNU", sizeof("GNU"));
	memset(page + NOTE + 16, id, 20);
	memcpy(page + WORDS, words, strlen(words) + 1);
}

static const char source_text[] = "int a;\n";

static struct err *
supply_file(const void *bytes, size_t n, int *fd)
{
	int file = memfd_create("supplied", MFD_CLOEXEC);

	if (file < 0)
		return err_errno("memfd_create");
	struct err *err = io_write(file, bytes, n);
	if (err)
		base_close(&file);
	else
		*fd = file;
	return err;
}

static struct err *
supply_module(void *arg, const struct supply_ask *ask, int *fd)
{
	struct served *s = arg;
	uint8_t page[PAGE];

	if (ask->kind == SUPPLY_SOURCE && strcmp(ask->path, "/app/a.c") == 0)
		return supply_file(source_text, sizeof(source_text) - 1, fd);
	if (ask->kind == SUPPLY_DEBUG)
		s->debug_asked++;
	if (ask->kind != SUPPLY_DEBUG || ask->nth || ask->id.bytes[0] != 0xbb)
		return err_new(ERR_NOTFOUND, "no such file");
	make_elf(page, 0xbb, SERVED_DEBUG);
	return supply_file(page, sizeof(page), fd);
}

/* ---- the target -------------------------------------------------------- */
static struct err *
served_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	const struct snap_memory *m = &t->memory[range];

	for (size_t k = 0; k < n; k++)
		((uint8_t *)out)[k] = m->kind == SNAP_MEM_ZERO ? 0
				      : served_byte(m->start + off + k);
	return NULL;
}

static struct err *
served_skeleton(struct target *t, uint32_t index,
		const struct snap_extent **out, size_t *n)
{
	static uint8_t page[PAGE];
	static const struct snap_extent extent = { 0, { page, PAGE } };

	(void)t;
	(void)index;
	make_elf(page, 0xbb, "a library");
	*out = &extent;
	*n = 1;
	return NULL;
}

static void
served_keep(struct target *t)
{
	(void)t;        /* its records are not its own */
}

static const char attached_text[] = "int b;\n";
static const struct snap_blob files[] = {
	{ "src/b.c", { attached_text, sizeof(attached_text) - 1 } },
};

static struct err *
served_file(const struct target *t, size_t nth, struct span *out)
{
	*out = t->files[nth].bytes;
	return NULL;
}

static const struct target_ops ops = {
	.kind = "served", .read = served_read, .skeleton = served_skeleton,
	.file = served_file, .close = served_keep,
};
static const struct snap_memory memory[] = {
	{ .start = 0x1000, .length = 0x2000, .kind = SNAP_MEM_DATA },
	{ .start = 0x3000, .length = 0x1000, .kind = SNAP_MEM_ABSENT,
	  .reason = SNAP_ABSENT_BUDGET },
	{ .start = 0x5000, .length = 0x1000, .kind = SNAP_MEM_ZERO },
	{ .start = 0x8000, .length = 0x1000, .kind = SNAP_MEM_DATA },
};
static const struct snap_map maps[] = {
	{ .start = 0x1000, .end = 0x2000, .perm = SNAP_PERM_R | SNAP_PERM_X,
	  .path = "/bin/served", .device = 0x803, .inode = 77 },
	{ .start = 0x2000, .end = 0x3000, .perm = SNAP_PERM_R | SNAP_PERM_W },
	{ .start = 0x3000, .end = 0x4000, .perm = SNAP_PERM_R },
	{ .start = 0x5000, .end = 0x6000,
	  .perm = SNAP_PERM_R | SNAP_PERM_W | SNAP_PERM_SHARED },
	{ .start = 0x8000, .end = 0x9000, .perm = SNAP_PERM_R | SNAP_PERM_X,
	  .path = "/usr/lib/libx.so.1.2", .device = 0x803, .inode = 78 },
};
static const char *const library_names[] = { "/lib/libx.so.1" };
static const char *const evil_names[] = { "libevil.so" };
static const struct snap_module modules[] = {
	{ .flags = SNAP_MODULE_MAIN, .start = 0x1000, .end = 0x3000,
	  .bias = 0x1000, .dynamic = 0x1400, .link_map = MAIN_LINK_MAP,
	  .path = "/bin/served", .skeleton = SNAP_NO_SKELETON },
	{ .id = { ID_GNU_BUILD_ID, 20,
		  { 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb,
		    0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb,
		    0xbb, 0xbb } },
	  .start = 0x8000, .end = 0x9000, .bias = 0x8000,
	  .dynamic = LIBRARY_DYNAMIC, .link_map = LINK_MAP,
	  .file_size = SERVED_FILE_SIZE, .path = "/usr/lib/libx.so.1.2",
	  .names = library_names, .n_names = 1, .skeleton = 0 },
	{ .start = 0x9000, .end = 0x9000, .bias = 0x9000, .dynamic = 0x9000,
	  .link_map = LINK_MAP + 0x40, .file_size = SERVED_FILE_SIZE,
	  .path = "/tmp/<\033]0;evil>.so", .names = evil_names, .n_names = 1,
	  .skeleton = 0 },
};
static const char status_text[] = "Name:\tserved\nState:\tS\033[2J\n";
static const char fd_text[] =
	"fd\tflags\tpos\ttarget\tdetail\n"
	"0\t02\t0\t/dev/pts/\x1b[2J0\t\n"
	"3\t02\t0\tsocket:[17]\ttcp6 [::1]:80 -> [::]:0 listen\n"
	"4\t02\t0\tsocket:[18]\tunix stream listen /run/a <b>\n"
	"5\t02\t0\tsocket:[19]\n"
	"\t\n"
	"and 7 more\n";
static const char threads_text[] =
	"tid\tstate\tutime_ms\tstime_ms\tcpu\twchan\tsyscall\n"
	"4243\tR\t1\t2\t5\tdo_exit\t-\n"
	"4242\tS\t1\t2\n"
	"4244\tS\t1\t2\t  \tpipe_read\t-";
static const char stat_text[] = "4242 (a) b) S 1 4242 7 0";
static const struct snap_blob texts[] = {
	{ "status", { status_text, sizeof(status_text) - 1 } },
	{ "limits", { "Limit\n", 6 } },
	{ "fd", { fd_text, sizeof(fd_text) - 1 } },
	{ "threads", { threads_text, sizeof(threads_text) - 1 } },
	{ "stat", { stat_text, sizeof(stat_text) - 1 } },
	{ "system/modules", { "ext4 4096 1 jbd2,crc32 Live 0x0\n\nodd", 35 } },
};
static const struct snap_attr attrs[] = {
	{ .key = "host", .type = SNAP_ATTR_STRING, .string = "a\033b" },
	{ .key = "load", .type = SNAP_ATTR_U64, .number = 7 },
	{ .key = "delta", .type = SNAP_ATTR_I64, .number = (uint64_t)-3 },
	{ .key = "fatal", .type = SNAP_ATTR_BOOL, .number = 1 },
};
static const struct snap_note notes[] = {
	{ .key = "null", .text = "a null pointer was read",
	  .severity = SNAP_CRITICAL, .tid = 4243, .depth = 0 },
};
static const char *const gaps[] = { "the core is truncated" };
static const uint64_t auxv[] = { 6 /* AT_PAGESZ */, 4096, 0, 0 };
static const uint8_t siginfo[128] = { 11 /* SIGSEGV */, [8] = 1 };

void
served_init(struct served *s)
{
	static const uint64_t tids[SERVED_THREADS] = { 4243, 4242, 4244 };
	static const char *const names[SERVED_THREADS] = {
		"crash\033er", "served", NULL,
	};

	*s = (struct served){ .supply = { supply_module, s } };
	for (size_t k = 0; k < SERVED_THREADS; k++)
		s->threads[k] = (struct snap_thread){
			.tid = tids[k], .name = names[k], .n_regsets = 2,
			.state = SNAP_STATE_SLEEPING,
			.regsets = regsets_of(k),
		};
	s->threads[0].faulting = true;
	s->threads[0].signal = 11;
	s->threads[0].siginfo = (struct span){ siginfo, sizeof(siginfo) };
	s->target = (struct target){
		.ops = &ops,
		.process = {
			.machine = EM_X86_64, .os = SNAP_OS_LINUX, .bits = 64,
			.pid = 4242, .ppid = 1, .uid = 33, .gid = 34,
			.faulting_tid = 4243, .signal = 11, .signal_code = 1,
			.has_fault_address = true, .fault_address = 0x10,
			.captured_ns = 1000000000, .name = "served",
			.arguments = "served one two ", .exe = "/bin/served",
			.cwd = "/srv",
		},
		.threads = s->threads, .n_threads = SERVED_THREADS,
		.maps = maps, .n_maps = countof(maps),
		.memory = memory, .n_memory = countof(memory),
		.modules = modules, .n_modules = countof(modules),
		.texts = texts, .n_texts = countof(texts),
		.attrs = attrs, .n_attrs = countof(attrs),
		.notes = notes, .n_notes = countof(notes),
		.files = files, .n_files = countof(files),
		.gaps = gaps, .n_gaps = countof(gaps),
		.auxv = { auxv, sizeof(auxv) },
	};
}

struct err *
served_open(struct served *s, const struct stub_options *options)
{
	const struct insp_options inspect = { .supply = &s->supply };
	const struct stub_options plain = { .title = "a test" };

	struct err *err = insp_open(&s->target, &inspect, &s->insp);
	return err ? err : stub_new(s->insp, options ? options : &plain,
				    &s->stub);
}

void
served_close(struct served *s)
{
	stub_free(s->stub);
	insp_free(s->insp);
	buf_fini(&s->out);
	buf_fini(&s->reply);
}

/* ---- both ends of the wire --------------------------------------------- */
void
served_frame(struct buf *out, const void *packet, size_t n)
{
	const uint8_t *p = packet;
	uint8_t sum = 0;

	for (size_t k = 0; k < n; k++)
		sum += p[k];
	buf_putc(out, '$');
	buf_put(out, packet, n);
	buf_printf(out, "#%02x", sum);
}

/* Written apart from the stub's own code, so that it can find it wrong. */
static bool
undo_runs(const char *p, size_t n, struct buf *out)
{
	size_t plain = 0;

	for (size_t k = 0; k < n; k++) {
		char run[100];

		if (p[k] != '*')
			continue;
		if (k == 0 || k + 1 == n || p[k + 1] < ' ' || p[k + 1] > '~')
			return false;
		buf_put(out, p + plain, k - plain);
		memset(run, p[k - 1], sizeof(run));
		buf_put(out, run, (size_t)(p[++k] - 29));
		plain = k + 1;
	}
	buf_put(out, p + plain, n - plain);
	return true;
}

bool
served_decode(struct span *bytes, struct buf *out)
{
	const char *p = bytes->data;
	const char *end = bytes->n ? memchr(p, '#', bytes->n) : NULL;
	uint8_t sum = 0, claimed;

	buf_reset(out);
	buf_put(out, "", 0);
	if (bytes->n == 0 || p[0] != '$' || !end
	    || bytes->n < (size_t)(end - p) + 3
	    || !hex_bytes(end + 1, 1, &claimed))
		return false;
	for (const char *c = p + 1; c < end; c++)
		sum += (uint8_t)*c;
	*bytes = (struct span){ end + 3, bytes->n - (size_t)(end + 3 - p) };
	return sum == claimed
	       && undo_runs(p + 1, (size_t)(end - p) - 1, out);
}

struct err *
served_send(struct served *s, const void *bytes, size_t n)
{
	buf_reset(&s->out);
	return stub_feed(s->stub, bytes, n, &s->out);
}

/* Text that a client shows while it waits for the answer; "OK" is one. */
static bool
is_console(const struct buf *packet)
{
	return packet->len > 1 && packet->data[0] == 'O'
	       && packet->data[1] != 'K';
}

const char *
served_ask_bytes(struct served *s, const void *packet, size_t n)
{
	_buf_ struct buf framed = { 0 };

	served_frame(&framed, packet, n);
	_err_ struct err *err = served_send(s, framed.data, framed.len);
	struct span out = { s->out.data, s->out.len };
	if (out.n && s->out.data[0] == '+')
		out = (struct span){ s->out.data + 1, s->out.len - 1 };
	bool good = !err && served_decode(&out, &s->reply);
	while (good && out.n && is_console(&s->reply))
		good = served_decode(&out, &s->reply);
	return good && out.n == 0 ? s->reply.data : NULL;
}

const char *
served_ask(struct served *s, const char *packet)
{
	return served_ask_bytes(s, packet, strlen(packet));
}

static void
undo_escapes(const struct buf *from, struct buf *to)
{
	for (size_t k = 1; k < from->len; k++)
		buf_putc(to, from->data[k] != '}' ? from->data[k]
			     : (char)(from->data[++k] ^ 0x20));
}

const char *
served_object(struct served *s, const char *object, size_t piece)
{
	_buf_ struct buf all = { 0 };
	char packet[256];

	buf_put(&all, "", 0);
	do {
		snprintf(packet, sizeof(packet), "qXfer:%s:%zx,%zx", object,
			 all.len, piece);
		if (!served_ask(s, packet) || !s->reply.len
		    || !strchr("ml", s->reply.data[0]))
			return NULL;
		undo_escapes(&s->reply, &all);
	} while (s->reply.data[0] == 'm');
	buf_reset(&s->reply);
	buf_put(&s->reply, all.data, all.len);
	return s->reply.data;
}
