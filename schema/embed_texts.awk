# SPDX-License-Identifier: Apache-2.0
# Those of the console's texts that scripts say, as a script that browsers keep:
# awk -v column=2 -f embed_texts.awk words.tsv >texts-en.js (column 3: Chinese)
# Keys that begin with script_ lose that beginning.
BEGIN { FS = "\t"; print "// generated from src/pages/words.tsv: do not edit\nglobalThis.tocsinTexts = {" }
/^#/ { next }
/^(script|span|act|nav)_/ || /^(search|problem_[0-9]+|severity_[a-z]+)\t/ {
	key = $1; text = $column
	sub(/^script_/, "", key)
	gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text)
	if (!seen[key]++) printf "\t%s: \"%s\",\n", key, text
}
END { print "};" }
