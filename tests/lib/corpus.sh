#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# corpus.sh: unpacks the archive of foreign cores into OUT/corpus.d, once.
#
# corpus.sh SOURCEDIR OUT. The archive is named by INQUEST_CORPUS, else it is
# looked for beside the source tree. Without one there is no OUT/corpus.d, and
# the tests that need it say so.
set -eu
source=$1 out=$2
archive=${INQUEST_CORPUS:-$source/../shared/data/corpus.tar.zst}

if ! test -f "$archive"; then
	test -z "${INQUEST_CORPUS:-}" ||
		echo "INQUEST_CORPUS: no such file: $archive" >&2
	rm -rf "$out/corpus.d"
	: >"$out/corpus.stamp"
	exit 0
fi
what="$(cd "$(dirname "$archive")" && pwd)/$(basename "$archive")"
what="$what $(cksum <"$archive")"
if test -d "$out/corpus.d" && test "$(cat "$out/corpus.stamp")" = "$what"; then
	exit 0
fi
rm -rf "$out/corpus.d" "$out/corpus.new"
mkdir -p "$out/corpus.new"
zstd -dcq "$archive" | tar -xf - -C "$out/corpus.new"
mv "$out/corpus.new" "$out/corpus.d"
echo "$what" >"$out/corpus.stamp"
