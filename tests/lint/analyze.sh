#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Static analysis of src/: cppcheck, gcc's analyzer, clang-tidy. analyze.sh SOURCE_FOLDER BUILD_FOLDER
set -u
cd "$1" || exit 1
build=${2:-build}
sources=$(git ls-files 'src/*.c')
export flags="-std=gnu17 -Isrc -I$build -I. -D_GNU_SOURCE -DHAVE_CONFIG_H -DSYSTEM_CONFIG=\"tocsin.yaml\"
	$(pkg-config --cflags libevent libmicrohttpd sqlite3 jansson gnutls libcurl libzstd yaml-0.1)"
logs=$build/analyze
mkdir -p "$logs"
failed=0

# tool NAME COMMAND...: whatever the command prints is a finding
tool() {
	local name=$1 n
	shift
	"$@" >"$logs/$name.log" 2>&1
	n=$(grep -cE '(warning|error|style|performance|portability):' "$logs/$name.log")
	printf 'analyze: %s: %d findings in %d files\n' "$name" "$n" "$(printf '%s\n' $sources | wc -l)"
	[ "$n" = 0 ] || { grep -E '(warning|error|style|performance|portability):' "$logs/$name.log"; failed=1; }
}

cppcheck_all() {
	cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr --suppress=missingIncludeSystem \
		-Isrc -I"$build" -D_GNU_SOURCE src
}

each() { printf '%s\n' $sources | xargs -P "$(nproc)" -n 1 sh -c "$1" sh; }

tool cppcheck cppcheck_all
tool gcc-analyzer each 'gcc $flags -O1 -fanalyzer -c -o /dev/null "$1"'
tool clang-tidy each 'clang-tidy-14 --quiet "$1" -- $flags'
exit $failed
