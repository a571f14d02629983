# SPDX-License-Identifier: Apache-2.0
# Children that parse hostile bytes and can do nothing else.

noinst_LIBRARIES += libjail.a
libjail_a_SOURCES = \
	src/jail/confine.c \
	src/jail/filter.c \
	src/jail/impl.h \
	src/jail/jail.c \
	src/jail/jail.h \
	src/jail/landlock.c \
	src/jail/limits.c \
	src/jail/program.c \
	src/jail/support.c
