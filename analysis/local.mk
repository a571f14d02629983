# SPDX-License-Identifier: Apache-2.0
# What a target tells of itself.

noinst_LIBRARIES += libanalysis.a
libanalysis_a_SOURCES = \
	analysis/accesses.c \
	analysis/analysis.h \
	analysis/cause.c \
	analysis/classify.c \
	analysis/culprit.c \
	analysis/differ.c \
	analysis/effect.c \
	analysis/folds.c \
	analysis/groups.c \
	analysis/impl.h \
	analysis/missing.c \
	analysis/source.h \
	analysis/words.c
