# SPDX-License-Identifier: Apache-2.0
# Turns a text file into a C string: awk -v name=openapi -f embed_text.awk FILE
BEGIN { printf "/* generated: do not edit */\nstatic const char %s_text[] =\n", name }
{
	gsub(/\\/, "\\\\"); gsub(/"/, "\\\"")
	printf "\t\"%s\\n\"\n", $0
}
END { print "\t;" }
