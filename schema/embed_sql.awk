# SPDX-License-Identifier: Apache-2.0
# Turns numbered migrations into a C array: awk -f embed_sql.awk 001_x.sql 002_y.sql
BEGIN { print "/* generated from schema/sql: do not edit */\nstatic const char *const schema_sql[] = {" }
FNR == 1 && NR > 1 { print "\t," }
{
	sub(/[ \t]*--.*$/, "")
	if ($0 ~ /^[ \t]*$/) next
	gsub(/\\/, "\\\\"); gsub(/"/, "\\\"")
	printf "\t\"%s\\n\"\n", $0
}
END { print "};" }
