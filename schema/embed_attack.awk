# SPDX-License-Identifier: Apache-2.0
# Turns the tables of ATT&CK into sorted C arrays:
#   LC_ALL=C awk -f embed_attack.awk tactics.tsv techniques.tsv aliases.tsv words.tsv rules.tsv
# Fails on what the tables do not know: an id, a short name, a second row of one key.
BEGIN {
	FS = "\t"
	print "/* generated from schema/attack: do not edit */"
	print "/* (c) The MITRE Corporation. MITRE ATT&CK, used under the ATT&CK terms of use. */"
}
FNR == 1 { file = FILENAME; sub(/.*\//, "", file); head = 1 }
/^#/ {
	if (file == "tactics.tsv" && match($0, /v[0-9]+\.[0-9]+/))
		print "#define ATTACK_VERSION \"" substr($0, RSTART + 1, RLENGTH - 1) "\""
	next
}
head { head = 0; next }
file == "tactics.tsv" { tactic($1, $2, $3, $4) }
file == "techniques.tsv" { technique($1, $2, $3) }
file == "aliases.tsv" { alias($1, $4, $5) }
file == "words.tsv" { word($1, $2, $3) }
file == "rules.tsv" { rule($1, $2, $3, $4) }
END {
	if (failed)
		exit 1
	print_rows("static const struct tactic_info tactics[] = {", tactics, n_tactics)
	print_rows("static const struct technique_info techniques[] = {", techniques, n_techniques)
	print_rows("static const struct retired retired[] = {", aliases, n_aliases)
	sort(words, word_keys, n_words)
	print_rows("static const struct word words[] = {", words, n_words)
	print_starts()
	sort(rules, rule_keys, n_rules)
	print_rows("static const struct attack_rule rules[] = {", rules, n_rules)
}

function fail(text)
{
	print "embed_attack.awk: " file " line " FNR ": " text >"/dev/stderr"
	failed = 1
}

function quoted(text)
{
	gsub(/\\/, "\\\\", text)
	gsub(/"/, "\\\"", text)
	return "\"" text "\""
}

# A key that is there already is a mistake.
function once(kind, key)
{
	if ((kind, key) in seen)
		fail("'" key "' is there already")
	seen[kind, key] = 1
}

# Ids ascend, so that C may search by halves.
function code_of(id)
{
	if (id !~ /^T[0-9][0-9][0-9][0-9](\.[0-9][0-9][0-9])?$/)
		fail("'" id "' is no technique's id")
	return substr(id, 2, 4) * 1000 + substr(id, 7, 3)
}

function ascends(kind, code)
{
	if (code <= last[kind])
		fail("ids do not ascend")
	last[kind] = code
}

function mask_of(list, names, n, i, mask)
{
	n = split(list, names, ",")
	mask = 0
	for (i = 1; i <= n; i++) {
		if (!(names[i] in rank))
			fail("'" names[i] "' is no tactic")
		else
			mask += 2 ^ (rank[names[i]] - 1)
	}
	return mask
}

function live(id)
{
	if (!(id in known))
		fail("'" id "' is not in techniques.tsv")
	return code_of(id)
}

function tactic(number, id, shortname, name)
{
	if (number != ++n_tactics)
		fail("ranks have a gap")
	rank[shortname] = number
	tactics[n_tactics] = "{" quoted(id) ", " quoted(shortname) ", " quoted(name) "}"
	add_word(shortname, number, 0, "ANY_PLACE")
}

function technique(id, name, list)
{
	ascends("technique", code_of(id))
	if (list == "")
		fail("no tactic")
	known[id] = 1
	techniques[++n_techniques] = "{" code_of(id) ", " mask_of(list) ", " quoted(name) "}"
}

function alias(old, now, list)
{
	ascends("alias", code_of(old))
	if (old in known)
		fail("'" old "' is in techniques.tsv")
	if ((now == "") == (list == ""))
		fail("either a successor or tactics")
	aliases[++n_aliases] = "{" code_of(old) ", " (now == "" ? 0 : live(now)) ", " mask_of(list) "}"
}

function add_word(text, number, code, place)
{
	once("word", text)
	if (text !~ /^[a-z][a-z0-9-]*$/)
		fail("'" text "' is not as words are compared")
	word_keys[++n_words] = text
	words[n_words] = "{" quoted(text) ", " length(text) ", " number ", " code ", " place "}"
}

function word(text, means, prefix)
{
	if (means == "defense-evasion")
		add_word(text, 0, 0, "OLD_EVASION")
	else if (means in rank)
		add_word(text, rank[means], 0, prefix == "mitre" ? "AFTER_PREFIX" : "ANY_PLACE")
	else
		add_word(text, 0, live(means), prefix == "mitre" ? "AFTER_PREFIX" : "ANY_PLACE")
}

function rule(family, name, list, ids, parts, n, i, codes)
{
	once("rule", family SUBSEP name)
	n = split(ids, parts, ",")
	if (n > 2)
		fail("more than two techniques")
	for (i = 1; i <= n; i++)
		codes = codes (i > 1 ? ", " : "") live(parts[i])
	rule_keys[++n_rules] = family SUBSEP name
	rules[n_rules] = "{" quoted(family) ", " quoted(name) ", " mask_of(list) ", {" (n ? codes : 0) "}}"
}

# Few rows: by insertion, in the order of the keys' bytes, shorter first.
function sort(rows, keys, n, i, j, row, key)
{
	for (i = 2; i <= n; i++) {
		row = rows[i]
		key = keys[i]
		for (j = i - 1; j >= 1 && keys[j] "" > key ""; j--) {
			rows[j + 1] = rows[j]
			keys[j + 1] = keys[j]
		}
		rows[j + 1] = row
		keys[j + 1] = key
	}
}

# For each letter the first word that does not begin with a lower one.
function print_starts(i, row)
{
	print "static const unsigned char word_starts[] = {"
	row = 1
	for (i = 1; i <= 27; i++) {
		while (row <= n_words && substr(word_keys[row], 1, 1) < substr("abcdefghijklmnopqrstuvwxyz{", i, 1))
			row++
		print "\t" row - 1 ","
	}
	print "};"
}

function print_rows(head_line, rows, n, i)
{
	print head_line
	for (i = 1; i <= n; i++)
		print "\t" rows[i] ","
	print "};"
}
