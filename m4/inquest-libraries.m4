# SPDX-License-Identifier: Apache-2.0
# inquest-libraries.m4: finds libraries; collects what is missing, by the name
# of its Debian package, so that one message names all of it.

# INQ_NEED_MODULE(VARIABLE, PKG-CONFIG MODULE, DEBIAN PACKAGE)
AC_DEFUN([INQ_NEED_MODULE], [
	PKG_CHECK_MODULES([$1], [$2], [
		inq_found="$inq_found $2 `$PKG_CONFIG --modversion $2`,"
		INQ_LIBS="$INQ_LIBS $[]$1[]_LIBS"
		INQ_CPPFLAGS="$INQ_CPPFLAGS $[]$1[]_CFLAGS"
	], [INQ_MISSES([$2], [$3])])
])

# INQ_NEED_LATER(VARIABLE, PKG-CONFIG MODULE, DEBIAN PACKAGE)
# Not linked: the program loads it when it needs it.
AC_DEFUN([INQ_NEED_LATER], [
	PKG_CHECK_MODULES([$1], [$2], [
		inq_found="$inq_found $2 `$PKG_CONFIG --modversion $2`,"
		INQ_CPPFLAGS="$INQ_CPPFLAGS $[]$1[]_CFLAGS"
	], [INQ_MISSES([$2], [$3])])
])

# INQ_NEED_LIBRARY(VARIABLE, LIBRARY, FUNCTION, HEADER, DEBIAN PACKAGE)
AC_DEFUN([INQ_NEED_LIBRARY], [
	inq_have=no
	AC_CHECK_HEADER([$4], [
		AC_CHECK_LIB([$2], [$3], [inq_have=yes])
	])
	AS_IF([test $inq_have = yes], [
		inq_found="$inq_found $2,"
		INQ_LIBS="$INQ_LIBS -l$2"
	], [INQ_MISSES([$2], [$5])])
])

# INQ_MISSES(WHAT, DEBIAN PACKAGE)
AC_DEFUN([INQ_MISSES], [
	inq_missing="$inq_missing
    $1 (Debian: $2)"
	inq_packages="$inq_packages $2"
])

# INQ_REQUIRE_FOUND: ends configure, if something is missing, with the remedy.
AC_DEFUN([INQ_REQUIRE_FOUND], [
	AS_IF([test -n "$inq_packages"], [AC_MSG_ERROR([not found:$inq_missing
  On Debian: apt-get install$inq_packages])])
	inq_found=`AS_ECHO(["$inq_found"]) | sed 's/,$//'`
	AC_SUBST([INQ_LIBS])
	AC_SUBST([INQ_CPPFLAGS])
])

# INQ_SEE_MODULE(NAME, PKG-CONFIG MODULE, DEBIAN PACKAGE): looks, needs nothing.
AC_DEFUN([INQ_SEE_MODULE], [
	AC_MSG_CHECKING([for $1 (not needed yet)])
	AS_IF([$PKG_CONFIG --exists $2], [
		inq_version=`$PKG_CONFIG --modversion $2`
		AC_MSG_RESULT([$inq_version])
		inq_seen="$inq_seen $1 $inq_version,"
	], [
		AC_MSG_RESULT([no (Debian: $3)])
		inq_seen="$inq_seen no $1,"
	])
])
