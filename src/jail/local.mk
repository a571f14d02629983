# SPDX-License-Identifier: Apache-2.0
# Children that parse hostile bytes and can do nothing else.

noinst_LIBRARIES += libjail.a
libjail_a_SOURCES = \
	src/jail/jail.h
