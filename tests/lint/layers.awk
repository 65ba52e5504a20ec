# SPDX-License-Identifier: Apache-2.0
# Each #include "folder/…" of a source must be allowed by src/layers.txt: awk -f layers.awk layers.txt FILE…
FNR == 1 { folder = FILENAME; sub(/.*\/src\//, "", folder); sub(/\/.*/, "", folder) }
FILENAME ~ /layers\.txt$/ {
	sub(/#.*/, ""); name = $1; sub(/:$/, "", name)
	for (i = 2; i <= NF; i++) {
		if (!($i in seen)) { print "src/layers.txt:" FNR ": " $i " must stand before " name; bad++ }
		allowed[name, $i] = 1
	}
	if (name != "") { seen[name] = 1; allowed[name, name] = 1 }
	next
}
/^#include "[a-z]+\// {
	to = $2; gsub(/"/, "", to); sub(/\/.*/, "", to)
	if (!((folder, to) in allowed)) { print FILENAME ":" FNR ": " folder " may not include " to; bad++ }
}
END { exit bad > 0 }
