#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs test programs under memcheck, as many at a time as there are cores. valgrind.sh BUILD_FOLDER PROGRAM...
set -u
build=$1
shift
export CK_FORK=no CK_TAP_LOG_FILE_NAME=- CK_VERBOSITY=silent TOCSIN_BUILD=$build
export TOCSIN_SOURCE=${TOCSIN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
logs=$build/valgrind
rm -rf "$logs"
mkdir -p "$logs"

one() {
	local program=$1 log=$2/${1##*/}.log began=$SECONDS
	if valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible --errors-for-leak-kinds=definite,possible \
		"$TOCSIN_BUILD/$program" >"$log" 2>&1; then
		printf 'ok - valgrind %s (%d s)\n' "$program" $((SECONDS - began))
	else
		printf 'not ok - valgrind %s (%d s)\n' "$program" $((SECONDS - began))
		grep -E '^==|^not ok' "$log" | head -n 40
	fi
}
export -f one

printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'one "$1" "$2"' bash {} "$logs" | tee "$logs/report"
passed=$(grep -c '^ok' "$logs/report")
failed=$(grep -c '^not ok' "$logs/report")
printf '# PASS: %d\n# FAIL: %d\n' "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" = $# ]
