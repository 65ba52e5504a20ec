#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rules of style that a machine can check. lint.sh SOURCE_FOLDER BUILD_FOLDER
set -u
cd "$1" || exit 1
build=${2:-build}
checks=0 violations=0
sources=$(git ls-files 'src/*.c' 'src/*.h')
tests=$(git ls-files 'tests/*.c' 'tests/*.h')

# check NAME COMMAND...: each line the command prints is a violation
check() {
	local name=$1 out
	shift
	checks=$((checks + 1))
	out=$("$@" 2>&1)
	[ -z "$out" ] && return
	violations=$((violations + $(printf '%s\n' "$out" | wc -l)))
	printf '%s\n' "$out" | sed "s/^/lint: $name: /"
}

layers() { awk -f tests/lint/layers.awk "$PWD/src/layers.txt" $(printf "$PWD/%s " $sources) | sed "s|$PWD/||"; }

# A library's header in one folder only.
library_headers() {
	local row
	for row in 'sqlite3\.h store' 'microhttpd\.h net' 'curl/ net' 'event2/ net' 'nghttp2/ net' 'gnutls/gnutls\.h (net|base)' \
		'gnutls/x509\.h net' 'gnutls/crypto\.h base' 'jansson\.h base' 'zstd\.h base' 'zdict\.h base' 'zlib\.h base' 'yaml\.h base' \
		'archive\.h evidence' 'librdkafka/ (net|intake|deliver)'; do
		set -- $row
		grep -nE "#include <$1" $sources | grep -vE "^src/$2/"
	done
}

banned_calls() {
	local outside=$(printf '%s\n' $sources | grep -v '^src/base/')
	grep -nE '\b(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok|atoi|atol|sscanf|alloca|system|popen|gmtime|localtime|rand|signal|snprintf|vsnprintf)\(' $outside
	grep -nE '\b(alloca|gets|strcpy|strcat|sprintf)\(' $(printf '%s\n' $sources | grep '^src/base/')
}

mutexes() { grep -nE 'pthread_(mutex|rwlock|spin|cond)_' $sources | grep -vE '^src/base/(queue|snapshot)\.c'; }

silent_folders() { grep -nE '\blog_(error|warning|info|debug)\(' $(printf '%s\n' $sources | grep -E '^src/(base|model|decode|correlate)/') | grep -v '^src/base/log\.'; }

spdx() {
	local file
	for file in $sources $tests $(git ls-files '*.sh' '*.py' '*.awk' '*.sql' '*.am' '*.ac' bootstrap .ci/run); do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file: no SPDX line first"
	done
}

headers_alone() {
	local file
	for file in $(printf '%s\n' $sources | grep '\.h$'); do
		grep -q '^#pragma once' "$file" || echo "$file: no #pragma once"
		printf '#include "%s"\n' "${file#src/}" |
			gcc -std=gnu17 -Isrc -I"$build" -D_GNU_SOURCE -x c -fsyntax-only - 2>&1 | grep -m 1 'error' || true
	done
}

format() {
	local file
	for file in $sources $tests; do
		clang-format-14 --dry-run -Werror "$file" >/dev/null 2>&1 || echo "$file: not as clang-format-14 has it"
	done
}

sizes() { python3 tests/lint/sizes.py tests/lint/exceptions.txt $sources; }

todos() { grep -nE '\b(TODO|FIXME|XXX)\b' $sources $tests | grep -vE 'TODO\(#[0-9]+\)'; }

line_comments() { grep -nE '^[^"]*[^:"]//' $(printf '%s\n' $sources | grep '\.[ch]$') | grep -vE '"[^"]*//|/\*.*//'; }

readmes() {
	local folder
	for folder in $(printf '%s\n' $sources | cut -d/ -f1-2 | sort -u); do
		if [ ! -f "$folder/README.md" ]; then
			echo "$folder: no README.md"
		elif [ "$(wc -l <"$folder/README.md")" -gt 30 ]; then
			echo "$folder/README.md: more than 30 lines"
		fi
		grep -q "^$(basename "$folder"):" src/layers.txt || echo "$folder: not in src/layers.txt"
	done
}

commits() {
	git log --format='%h %s' -n 20 2>/dev/null | awk '{
		id = $1; sub(/^[^ ]+ /, "")
		if (length($0) > 60 || $0 !~ /^[a-z0-9, .\/_-]+: ./) print "commit " id ": \"" $0 "\" is not \"area: what\" in 60 characters"
	}'
}

# Every decoder has a name of its own, a row and a word in the manual.
decoders() {
	local name
	for name in $(grep -hoE '^const struct decoder decoder_[a-z0-9_]+' src/decode/*.c | sed 's/.*decoder_//'); do
		grep -qE "ROW\([0-9]+, [A-Z0-9_]+, $name," src/model/source.h || echo "src/model/source.h: no row for $name"
		[ -e "tests/corpus/$name" ] || ls tests/corpus 2>/dev/null | grep -q "^$name" || echo "tests/corpus: no corpus for decoder $name"
		grep -qi "$name" docs/sources.md 2>/dev/null || echo "docs/sources.md: nothing about $name"
	done
}

words() { bash tests/lint/words.sh; }

# Locals with a cleanup are whole before the first return.
auto() { python3 tests/lint/auto.py $(git ls-files 'src/*.c' 'tests/*.c'); }

metrics() { python3 tests/lint/metrics.py docs/metrics.md $(printf '%s\n' $sources | grep '\.c$'); }

hardening() { [ -x "$build/bin/tocsind" ] && bash tests/lint/hardening.sh "$build"/bin/*; }

# The contract of the API, and the page made of it.
openapi() {
	local python=python3
	[ -x "$build/tests/lib/endpoints-dump" ] || return
	python3 -c 'import yaml' 2>/dev/null || python=/usr/bin/python3 # a Python beside Debian's lacks Debian's packages
	$python tests/lint/openapi.py . "$build/tests/lib/endpoints-dump"
	$python tests/lint/openapi.py . --page | cmp -s - docs/reference/api.md ||
		echo "docs/reference/api.md: not what 'python3 tests/lint/openapi.py . --page' prints"
}

# Pages made from tables are what the program makes.
generated() {
	local page words
	[ -x "$build/bin/tocsin" ] || return
	while read -r page words; do
		"$build/bin/tocsin" $words | cmp -s - "$page" || echo "$page: not what 'tocsin $words' prints"
	done <<PAGES
docs/reference/commands.md reference commands
docs/reference/settings.md reference settings
docs/reference/query.md reference query
packaging/man/tocsin.1 reference manual
packaging/completions/tocsin.bash reference completion
packaging/tocsin.yaml config sample
PAGES
}

check generated generated
check openapi openapi
check layers layers
check library-headers library_headers
check banned-calls banned_calls
check mutexes mutexes
check silent-folders silent_folders
check spdx spdx
check headers-alone headers_alone
check format format
check sizes sizes
check auto auto
check todos todos
check line-comments line_comments
check readmes readmes
check commits commits
check decoders decoders
check metrics metrics
check words words
check hardening hardening
printf 'lint: %d checks, %d violations\n' "$checks" "$violations"
[ "$violations" = 0 ]
