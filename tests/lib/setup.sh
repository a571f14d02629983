# SPDX-License-Identifier: Apache-2.0
# setup.sh: what ./demo and ./check share - finding and installing what is
# missing on this machine, building out of tree, and saying how far they are.
#
# The caller is POSIX sh in the top of the source tree, has set `steps` (how
# many there are) and `work` (the directory for everything that is made), and
# calls setup_options "$@" first.

setup_usage() {
	cat <<-END
	usage: ./$setup_name [-y] [--no-install]
	  -y            install missing packages without asking
	  --no-install  never install anything
	$setup_about
	END
}

setup_options() {
	install=ask step=0 began=$(setup_now)
	for word; do
		case $word in
		-y|--yes) install=yes ;;
		--no-install) install=no ;;
		-h|--help) setup_usage; exit 0 ;;
		*) setup_usage >&2; exit 2 ;;
		esac
	done
	mkdir -p "$work"
	jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
}

# ---- speaking ------------------------------------------------------------

setup_now() { date +%s.%N; }
# Seconds since a time, as "3.1".
setup_since() { echo "$1 $(setup_now)" | awk '{ printf "%.1f", $2 - $1 }'; }

# Begin the line of the next step: setup_step NAME
setup_step() {
	step=$((step + 1)) step_began=$(setup_now)
	printf '[%d/%d] %-11s ' "$step" "$steps" "$1"
}

# End with the cause and the end of the log: setup_fail CAUSE [LOG]
setup_fail() {
	printf '\n%s: %s\n' "$setup_name" "$1" >&2
	if test -n "${2:-}"; then
		tail -n 20 "$2" >&2
		echo "$setup_name: the whole log is $2" >&2
	fi
	exit 1
}

# ---- packages ------------------------------------------------------------

# Debian's name of a package, and what it gives: a program, a header, or a
# file of which the name is a pattern.
setup_needs_build='
gcc                 gcc
libc6-dev           stdio.h
make                make
autoconf            autoconf
automake            automake
pkg-config          pkg-config
libdw-dev           elfutils/libdwfl.h
libelf-dev          libelf.h
libunwind-dev       libunwind.h
libzstd-dev         zstd.h
libxxhash-dev       xxhash.h
libssl-dev          openssl/evp.h
libjson-c-dev       json-c/json.h
libpcre2-dev        pcre2.h
libseccomp-dev      seccomp.h
liblmdb-dev         lmdb.h
libwebsockets-dev   libwebsockets.h
libcurl4-openssl-dev curl/curl.h
libzydis-dev        Zydis/Zydis.h
libzycore-dev       Zycore/String.h
libcapstone-dev     capstone/capstone.h
libiberty-dev       libiberty/demangle.h
libcmocka-dev       cmocka.h
gdb                 gdb
'
setup_needs_tests='
g++                 g++
binutils            nm
python3             python3
python3-jsonschema  /usr/lib/python3/dist-packages/jsonschema
zstd                zstd
elfutils            eu-stack
dwz                 dwz
libjemalloc-dev     jemalloc/jemalloc.h
redis-server        redis-server
redis-tools         redis-benchmark
nginx               nginx
postgresql          /usr/lib/postgresql/*/bin/postgres
chromium            chromium
lldb                lldb
gdbserver           gdbserver
strace              strace
sqlite3             sqlite3
procps              ps
zsh                 zsh
fish                fish
groff-base          groff
nodejs              node
npm                 npm
gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
libc6-dev-arm64-cross /usr/aarch64-linux-gnu/include/stdio.h
qemu-user-static    qemu-aarch64-static
gdb-multiarch       gdb-multiarch
'
# For lldb on a snapshot and on the process (make check-lldb).
setup_needs_lldb='
lldb                lldb
python3-lldb        /usr/lib/llvm-*/lib/python3*/*-packages/lldb
python3-six         /usr/lib/python3/dist-packages/six.py
gcc                 gcc
g++                 g++
'
# For figures beside debuggers and symbolizers (make bench-inspect).
setup_needs_inspecting='
gdb                 gdb
lldb                lldb
llvm                llvm-symbolizer
elfutils            eu-addr2line
binutils            addr2line
gcc                 gcc
ceph-mon            ceph-mon
ceph-mon-dbg        /usr/share/doc/ceph-mon-dbg
python3.11-dbg      python3.11d
'
# For gdb's own test suite (make check-gdb).
setup_needs_suite='
gdb                 gdb
gdbserver           gdbserver
gcc                 gcc
g++                 g++
python3             python3
dejagnu             runtest
gdb-source          /usr/src/gdb.tar.*
gfortran            gfortran
gnat                gnatmake
rustc               rustc
'
# For the corpus of programs whose values are compared (make check-values).
# libc++ is not among them: its package would take libunwind-dev away.
setup_needs_values='
gdb                 gdb
gcc                 gcc
g++                 g++
clang               clang
lld                 ld.lld
binutils            objcopy
dwz                 dwz
gfortran            gfortran
rustc               /usr/bin/rustc
golang-go           /usr/bin/go
python3             python3
'
# For programs that nobody here wrote (make check-values-real).
setup_needs_real_values='
gdb                 gdb
gcc                 gcc
make                make
python3             python3
python3.11-dbg      /usr/bin/python3.11d
ceph-mon            ceph-mon
ceph-mon-dbg        /usr/share/doc/ceph-mon-dbg
redis-tools         redis-benchmark
dpkg-dev            dpkg-source
tcl                 tclsh
'
setup_needs_lint='
clang               clang
clang-tidy          clang-tidy
cppcheck            cppcheck
libclang-rt-14-dev  /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*
'

setup_has() {
	case $1 in
	/*)
		for found in $1; do test -e "$found" && return 0; done
		return 1 ;;
	*.h)
		for found in /usr/include/"$1" /usr/include/*-linux-*/"$1" \
		    /usr/local/include/"$1"; do
			test -e "$found" && return 0
		done
		return 1 ;;
	*)
		command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# setup_packages TABLE...: the packages whose probe fails.
setup_missing() {
	missing=$(printf '%s\n' "$@" | while read -r package probe; do
		test -z "$package" || setup_has "$probe" ||
			printf ' %s' "$package"
	done)
}

setup_root() {
	if test "$(id -u)" = 0; then "$@"; else sudo "$@"; fi
}

setup_ask() {
	if test $install = ask && test -t 0 && test -t 1; then
		printf 'missing:%s\n  apt-get install%s  [Y/n] ' "$missing" \
			"$missing"
		read -r answer || answer=n
		case $answer in ''|[Yy]*) install=yes ;; *) install=no ;; esac
	fi
	test $install = yes || setup_fail "missing:$missing
  install them (apt-get install$missing), or run ./$setup_name -y"
}

# apt-get install $missing. Of redis-server the tests want the program, not a
# daemon: nothing that is installed here starts, now or at the next boot.
setup_apt() {
	policy=/usr/sbin/policy-rc.d made_policy=no
	if ! test -e $policy; then
		printf '#!/bin/sh\nexit 101\n' >"$work/policy-rc.d"
		setup_root install -m 755 "$work/policy-rc.d" $policy || return
		made_policy=yes
	fi
	# Package names are words.
	# shellcheck disable=SC2086
	setup_root apt-get -q update &&
	setup_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install \
		--no-install-recommends $missing
	status=$?
	test $made_policy = no || setup_root rm -f $policy
	case " $missing " in
	*" redis-server "*)
		! command -v systemctl >/dev/null ||
			setup_root systemctl disable redis-server || : ;;
	esac
	return $status
}

# setup_tools TABLE...: everything of the tables is there when this returns.
setup_tools() {
	setup_missing "$@"
	test -n "$missing" || return 0
	command -v apt-get >/dev/null ||
		setup_fail "missing, by the names of Debian packages:$missing"
	setup_ask
	test "$(id -u)" = 0 || command -v sudo >/dev/null ||
		setup_fail "as root: apt-get install$missing"
	printf 'installing%s ... ' "$missing"
	setup_apt >"$work/apt.log" 2>&1 ||
		setup_fail 'apt-get failed' "$work/apt.log"
	setup_missing "$@"
	test -z "$missing" ||
		setup_fail "still missing:$missing" "$work/apt.log"
}

setup_version() {
	case $1 in
	gcc) gcc -dumpfullversion ;;
	gdb) gdb --version | sed -n '1s/.* //p' ;;
	*) pkg-config --modversion "$1" ;;
	esac
}

setup_say_tools() {
	for tool in gcc gdb libdw libunwind; do
		printf '%s %s, ' "$tool" "$(setup_version $tool)"
	done
	echo 'ok'
}

# ---- building ------------------------------------------------------------

# A dot for every few files that were compiled; how many at the end.
setup_dots() {
	files=0
	while read -r verb _; do
		case $verb in CC) ;; *) continue ;; esac
		files=$((files + 1))
		! { test -t 1 && test $((files % 4)) = 0; } || printf .
	done
	test $files -lt 4 || ! test -t 1 || printf ' '
	printf '%d files compiled' $files
}

# setup_configure DIR [ARGUMENT...]
setup_configure() {
	mkdir -p "$1"
	(
		build=$1
		shift
		test -x configure && test -f Makefile.in &&
			test -f build-aux/tap-driver.sh || autoreconf -i ||
			exit
		cd "$build" || exit
		test -f Makefile || "$source/configure" "$@"
	) >"$1/configure.log" 2>&1 ||
		setup_fail 'configure failed' "$1/configure.log"
}

# setup_make DIR TARGET...: prints dots, and ends the script on failure.
setup_make() {
	build=$1
	shift
	{
		make -C "$build" -j"$jobs" "$@" 2>&1
		echo $? >"$build/make.status"
	} | tee "$build/make.log" | setup_dots
	test "$(cat "$build/make.status")" = 0 ||
		setup_fail "make $* failed" "$build/make.log"
}
