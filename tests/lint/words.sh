#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Texts of the console that nothing uses, and those that scripts say and that are not there: words.sh (in the source folder).
# Texts that pages say and that are not there stop the build. A script says a text whole, or by how it begins: say("done_" + act).
set -u
said=$(grep -hoE '(say|hasText)\("[a-z_]+"' web/*.js | sed -E 's/.*"(.*)"/\1/' | sort -u)
beginnings=$(grep -hoE '(say|hasText)\("[a-z_]+_" \+' web/*.js | sed -E 's/.*"(.*)".*/\1/' | sort -u)

# is_said KEY: by a script
is_said() {
	local one
	printf '%s\n' "$said" | grep -qxF "$1" && return
	for one in $beginnings; do [[ $1 == "$one"* ]] && return; done
	return 1
}

while read -r key; do
	case $key in
	script_*) is_said "${key#script_}" || echo "src/pages/words.tsv: no script says \"${key#script_}\"" ;;
	*) grep -qw "WORD_$(printf '%s' "$key" | tr a-z A-Z)" src/pages/*.c src/console/*.c || echo "src/pages/words.tsv: nothing says $key" ;;
	esac
done < <(cut -f1 src/pages/words.tsv | grep -E '^[a-z]')
for key in $said; do
	[[ $key == *_ ]] && end= || end=$'\t'
	grep -qE "^(script_)?$key$end" src/pages/words.tsv || echo "web/: says \"$key\", which is not in src/pages/words.tsv"
done
