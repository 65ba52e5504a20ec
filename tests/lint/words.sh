#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Texts of the console that nothing uses: words.sh (in the source folder). Those that are not there stop the build.
set -u
cut -f1 src/pages/words.tsv | grep -E '^[a-z]' | while read -r key; do
	case $key in
	script_*) grep -qF "\"${key#script_}\"" web/*.js || grep -qF "$key" web/*.js || echo "src/pages/words.tsv: no script says \"${key#script_}\"" ;;
	*) grep -qw "WORD_$(printf '%s' "$key" | tr a-z A-Z)" src/pages/*.c src/console/*.c || echo "src/pages/words.tsv: nothing says $key" ;;
	esac
done
