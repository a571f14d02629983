# SPDX-License-Identifier: Apache-2.0
# The verbs of inquest, and what is generated from their table.

bin_PROGRAMS += inquest
inquest_SOURCES = \
	src/cmd/apart.c \
	src/cmd/apart.h \
	src/cmd/cache.c \
	src/cmd/cache.h \
	src/cmd/cache_fill.c \
	src/cmd/capture.c \
	src/cmd/check.c \
	src/cmd/cmd.h \
	src/cmd/code.h \
	src/cmd/code_json.c \
	src/cmd/code_text.c \
	src/cmd/complete.c \
	src/cmd/dap.c \
	src/cmd/diff.c \
	src/cmd/diff.h \
	src/cmd/diff_write.c \
	src/cmd/disasm.c \
	src/cmd/doctor.c \
	src/cmd/dump.c \
	src/cmd/export.c \
	src/cmd/gdb.c \
	src/cmd/get.c \
	src/cmd/help.c \
	src/cmd/home.c \
	src/cmd/home.h \
	src/cmd/import.c \
	src/cmd/import.h \
	src/cmd/index.c \
	src/cmd/indexes.c \
	src/cmd/indexes.h \
	src/cmd/keep.c \
	src/cmd/keep.h \
	src/cmd/kv.c \
	src/cmd/kv.h \
	src/cmd/late.c \
	src/cmd/late.h \
	src/cmd/list.c \
	src/cmd/lldb.c \
	src/cmd/main.c \
	src/cmd/object.c \
	src/cmd/object.h \
	src/cmd/offers.c \
	src/cmd/offers.h \
	src/cmd/outfile.c \
	src/cmd/outfile.h \
	src/cmd/page.c \
	src/cmd/page.h \
	src/cmd/page_plain.c \
	src/cmd/page_roff.c \
	src/cmd/pick.c \
	src/cmd/pick.h \
	src/cmd/place.c \
	src/cmd/place.h \
	src/cmd/print.c \
	src/cmd/progress.c \
	src/cmd/progress.h \
	src/cmd/put.c \
	src/cmd/report.c \
	src/cmd/report.h \
	src/cmd/report_export.c \
	src/cmd/report_gather.c \
	src/cmd/report_json.c \
	src/cmd/report_stack.c \
	src/cmd/report_text.c \
	src/cmd/report_vars.c \
	src/cmd/rm.c \
	src/cmd/room.c \
	src/cmd/room.h \
	src/cmd/rsp.c \
	src/cmd/save.c \
	src/cmd/save.h \
	src/cmd/say.c \
	src/cmd/series.c \
	src/cmd/series.h \
	src/cmd/serve.c \
	src/cmd/session.c \
	src/cmd/session.h \
	src/cmd/shoot.c \
	src/cmd/shoot.h \
	src/cmd/sourcemap.c \
	src/cmd/sourcemap.h \
	src/cmd/speak.c \
	src/cmd/speak.h \
	src/cmd/spell.c \
	src/cmd/spell.h \
	src/cmd/store.c \
	src/cmd/tag.c \
	src/cmd/token.c \
	src/cmd/verbs.c
inquest_LDADD = $(ROOMS) $(INQ_LIBS)

# Not in the tarball: the program that writes them is built first anyway.
nodist_man1_MANS = inquest.1
inquest.1: inquest$(EXEEXT)
	$(AM_V_GEN)./inquest$(EXEEXT) help --man > $@.new && mv $@.new $@

bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = completion/inquest
zshcompletiondir = $(datadir)/zsh/site-functions
nodist_zshcompletion_DATA = completion/_inquest
fishcompletiondir = $(datadir)/fish/vendor_completions.d
nodist_fishcompletion_DATA = completion/inquest.fish
completion/inquest: inquest$(EXEEXT)
	@$(MKDIR_P) completion
	$(AM_V_GEN)./inquest$(EXEEXT) help --completion bash > $@.new && \
		mv $@.new $@
completion/_inquest: inquest$(EXEEXT)
	@$(MKDIR_P) completion
	$(AM_V_GEN)./inquest$(EXEEXT) help --completion zsh > $@.new && \
		mv $@.new $@
completion/inquest.fish: inquest$(EXEEXT)
	@$(MKDIR_P) completion
	$(AM_V_GEN)./inquest$(EXEEXT) help --completion fish > $@.new && \
		mv $@.new $@

CLEANFILES += inquest.1 $(nodist_bashcompletion_DATA) \
	$(nodist_zshcompletion_DATA) $(nodist_fishcompletion_DATA)
