# SPDX-License-Identifier: Apache-2.0
# The field numbers of a .proto file as C: awk -f embed_proto.awk -v prefix=INTAKE intake.proto >intake_fields.h
# Field raw of message PushRequest becomes PREFIX_PUSH_REQUEST_RAW. Enums are left out.
BEGIN {
	print "/* generated from a .proto file: do not edit */\nenum {"
}
/^message / {
	name = toupper(substr($2, 1, 1)) substr($2, 2)
	gsub(/[A-Z]/, "_&", name)
	name = toupper(name)
}
/^ *enum / { in_enum = 1 }
/^ *}/ { in_enum = 0 }
!in_enum && match($0, /[a-z][a-z0-9_]* = [0-9]+;/) {
	split(substr($0, RSTART, RLENGTH - 1), field, " = ")
	printf "\t%s%s_%s = %s,\n", prefix, name, toupper(field[1]), field[2]
	n++
}
END {
	print "};"
	if (!n) {
		print FILENAME ": no fields" >"/dev/stderr"
		exit 1
	}
}
