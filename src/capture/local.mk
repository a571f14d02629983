# SPDX-License-Identifier: Apache-2.0
# What was seen becomes a snapshot.

noinst_LIBRARIES += libcapture.a
libcapture_a_SOURCES = \
	src/capture/capture.h
