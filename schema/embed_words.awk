# SPDX-License-Identifier: Apache-2.0
# Turns the console's texts into C: awk -f embed_words.awk words.tsv >page_words.h
# A row is: key, English, Simplified Chinese, with tabs between; a row that lacks one stops the build.
BEGIN {
	FS = "\t"
	print "/* generated from src/pages/words.tsv: do not edit */\n#define PAGE_WORDS(WORD) \\"
}
/^#/ || /^$/ { next }
NF != 3 || $1 !~ /^[a-z][a-z0-9_]*$/ || $2 == "" || $3 == "" || seen[$1]++ {
	print FILENAME ":" FNR ": not 'key<tab>English<tab>Chinese' with a new key: " $0 >"/dev/stderr"
	failed = 1
	exit
}
{
	gsub(/\\/, "\\\\"); gsub(/"/, "\\\"")
	printf "\tWORD(%s, %s, \"%s\", \"%s\") \\\n", toupper($1), $1, $2, $3
}
END {
	print ""
	if (failed) exit 1
}
