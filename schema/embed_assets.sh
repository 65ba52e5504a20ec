#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Turns the console's files into C arrays, plain and gzipped: embed_assets.sh FILE... >web_assets.h
# One hash of all names and contents is the folder they are served from, so that relative imports
# between modules stay in one version.
set -eu
export LC_ALL=C

bytes() { od -An -v -tu1 | sed -E 's/ +([0-9]+)/\1,/g'; }

type_of() {
	case $1 in
	*.js) echo 'text/javascript; charset=utf-8' ;;
	*.css) echo 'text/css; charset=utf-8' ;;
	*.svg) echo 'image/svg+xml' ;;
	*) echo "embed_assets.sh: no type for $1" >&2; exit 1 ;;
	esac
}

bundle=$(for file in "$@"; do basename "$file"; sha256sum <"$file"; done | sha256sum | cut -c1-16)
echo '/* generated from web/: do not edit */'
echo "#define WEB_BUNDLE \"$bundle\""
i=0
for file in "$@"; do
	printf 'static const unsigned char web_plain_%d[] = {\n' $i
	bytes <"$file"
	printf '};\nstatic const unsigned char web_zipped_%d[] = {\n' $i
	gzip -9 -n <"$file" | bytes
	echo '};'
	i=$((i + 1))
done
echo 'static const struct asset web_assets[] = {'
i=0
for file in "$@"; do
	name=$(basename "$file")
	type=$(type_of "$name")
	printf '\t{"%s", "/assets/" WEB_BUNDLE "/%s", "%s",\n' "$name" "$name" "$type"
	printf '\t\t{(const char *)web_plain_%d, sizeof web_plain_%d},\n' $i $i
	tag=$(sha256sum <"$file" | cut -c1-16)
	printf '\t\t{(const char *)web_zipped_%d, sizeof web_zipped_%d},\n' $i $i
	printf '\t\t"\\"%s\\"", "\\"%s-gz\\""},\n' "$tag" "$tag"
	i=$((i + 1))
done
echo '};'
