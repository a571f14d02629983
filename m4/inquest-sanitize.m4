# SPDX-License-Identifier: Apache-2.0
# inquest-sanitize.m4: --enable-sanitize, --enable-fuzz, and the hardening that
# a build without them gets.

AC_DEFUN([INQ_SANITIZE], [
	AC_ARG_ENABLE([sanitize],
		[AS_HELP_STRING([--enable-sanitize=LIST],
			[address,undefined or thread])],
		[], [enable_sanitize=no])
	AC_ARG_ENABLE([fuzz],
		[AS_HELP_STRING([--enable-fuzz],
			[fuzz targets as libFuzzer programs (CC=clang)])],
		[], [enable_fuzz=no])
	AS_CASE([$enable_sanitize],
		[no|thread|address|undefined|address,undefined], [],
		[yes], [enable_sanitize=address,undefined],
		[AC_MSG_ERROR([--enable-sanitize takes address,undefined or thread])])

	FUZZ_MAIN=libreplay.a
	inq_instrument=
	AS_IF([test "$enable_sanitize" != no], [
		inq_instrument=$enable_sanitize
	])
	AS_IF([test "$enable_fuzz" = yes], [
		FUZZ_MAIN=-fsanitize=fuzzer
		inq_instrument=fuzzer-no-link,address,undefined
	])
	inq_sanitize_said=none
	AS_IF([test -n "$inq_instrument"], [
		inq_sanitize_said=$inq_instrument
		INQ_CFLAGS="$INQ_CFLAGS -fsanitize=$inq_instrument"
		INQ_CFLAGS="$INQ_CFLAGS -fno-sanitize-recover=all"
		INQ_CFLAGS="$INQ_CFLAGS -fno-omit-frame-pointer"
		INQ_LDFLAGS="$INQ_LDFLAGS -fsanitize=$inq_instrument"
	])
	INQ_TRY_LINK
	AC_SUBST([FUZZ_MAIN])
	AC_SUBST([INQ_LDFLAGS])
])

# INQ_TRY_LINK: a sanitizer whose run-time library is not installed shows here
# and not in the middle of the build.
AC_DEFUN([INQ_TRY_LINK], [
	AS_IF([test -n "$inq_instrument"], [
		AC_MSG_CHECKING([whether -fsanitize=$inq_instrument links])
		inq_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -fsanitize=$inq_instrument"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
			[AC_MSG_RESULT([yes])],
			[AC_MSG_RESULT([no])
			 AC_MSG_ERROR([no run-time library for that
  On Debian: apt-get install gcc (for gcc), libclang-rt-14-dev (for clang)])])
		CFLAGS=$inq_saved_CFLAGS
	])
])

AC_DEFUN([INQ_HARDENING], [
	inq_hardening_said="off, for the sanitizers"
	AS_IF([test -z "$inq_instrument"], [
		INQ_CFLAGS="$INQ_CFLAGS -fPIE -fstack-protector-strong"
		INQ_LDFLAGS="$INQ_LDFLAGS -pie -Wl,-z,relro -Wl,-z,now"
		inq_hardening_said="stack protector, PIE, relro, now"
		# glibc warns about _FORTIFY_SOURCE without optimisation.
		AS_CASE([" $CFLAGS "], [*" -O"@<:@123s@:>@" "*], [
			INQ_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
			inq_hardening_said="$inq_hardening_said, fortify"
		])
	])
])
