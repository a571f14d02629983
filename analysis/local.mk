# SPDX-License-Identifier: Apache-2.0
# What a target tells of itself.

noinst_LIBRARIES += libanalysis.a
libanalysis_a_SOURCES = \
	analysis/analysis.h \
	analysis/cause.c \
	analysis/classify.c \
	analysis/differ.c \
	analysis/effect.c \
	analysis/folds.c \
	analysis/groups.c \
	analysis/impl.h \
	analysis/missing.c
