#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reads built ELF files: full RELRO, bind now, PIE, a stack that is not executable, fortified calls. Prints what is missing.
for file in "$@"; do
	[ -f "$file" ] || continue
	readelf -hW "$file" | grep -q 'DYN' || echo "$file: not PIE"
	readelf -lW "$file" | grep -q 'GNU_RELRO' || echo "$file: no RELRO"
	readelf -dW "$file" | grep -qE 'BIND_NOW|FLAGS.*NOW' || echo "$file: not bound at start"
	readelf -lW "$file" | grep 'GNU_STACK' | grep -q 'RWE' && echo "$file: executable stack"
	readelf --dyn-syms -W "$file" | grep -q '_chk' || echo "$file: no fortified calls"
	readelf --dyn-syms -W "$file" | grep -q '__stack_chk_fail' || echo "$file: no stack protector"
done
exit 0
