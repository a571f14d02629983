# SPDX-License-Identifier: Apache-2.0
# The Debug Adapter Protocol over one session.

noinst_LIBRARIES += libdap.a
libdap_a_SOURCES = \
	src/dap/alike.c \
	src/dap/args.c \
	src/dap/around.c \
	src/dap/columns.c \
	src/dap/complete.c \
	src/dap/console.c \
	src/dap/dap.c \
	src/dap/dap.h \
	src/dap/describe.c \
	src/dap/describe.h \
	src/dap/diff.c \
	src/dap/disassemble.c \
	src/dap/evaluate.c \
	src/dap/exception.c \
	src/dap/facts.c \
	src/dap/export.c \
	src/dap/express.c \
	src/dap/folded.c \
	src/dap/globals.c \
	src/dap/impl.h \
	src/dap/inside.c \
	src/dap/link.c \
	src/dap/locations.c \
	src/dap/maps.c \
	src/dap/memory.c \
	src/dap/modules.c \
	src/dap/moves.c \
	src/dap/news.c \
	src/dap/noted.c \
	src/dap/overview.c \
	src/dap/owner.c \
	src/dap/page.c \
	src/dap/refs.c \
	src/dap/refs.h \
	src/dap/registers.c \
	src/dap/requests.c \
	src/dap/row.c \
	src/dap/scopes.c \
	src/dap/search.c \
	src/dap/session.c \
	src/dap/sources.c \
	src/dap/stack.c \
	src/dap/stream.c \
	src/dap/variables.c \
	src/dap/work.c \
	src/dap/write.c
