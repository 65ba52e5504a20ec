#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The README on a bare Debian 12: a minimal system by debootstrap, a clean clone with nothing beside it, the two commands as
# they are written, an alert sent and read back. Root. fresh_machine.sh [REVISION]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
revision=${1:-HEAD}
cache=${TOCSIN_FRESH_CACHE:-$HOME/.cache/tocsin-fresh}
mirror=${TOCSIN_FRESH_MIRROR:-$(sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) bookworm main.*/\2/p; s/^URIs: *//p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 || true)}
root=$(mktemp -d)
daemon=

clean_up() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	[ -z "$daemon" ] || wait "$daemon" 2>/dev/null || true
	umount "$root/proc" "$root/dev" 2>/dev/null || true
	rm -rf --one-file-system "$root"
}
trap clean_up EXIT

say() { printf 'fresh machine: %s\n' "$*"; }
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TOCSIN_PORT="$port" "$@"; }

mkdir -p "$cache"
if [ ! -f "$cache/bookworm.tar" ]; then
	say "making a minimal Debian 12"
	debootstrap --variant=minbase --make-tarball="$cache/bookworm.tar.new" bookworm "$root/made" ${mirror:+"$mirror"} >"$cache/debootstrap.log" 2>&1 ||
		{ tail -n 20 "$cache/debootstrap.log"; exit 1; }
	mv "$cache/bookworm.tar.new" "$cache/bookworm.tar"
	rm -rf "$root/made"
fi
debootstrap --variant=minbase --unpack-tarball="$cache/bookworm.tar" bookworm "$root" ${mirror:+"$mirror"} >"$cache/unpack.log" 2>&1 ||
	{ tail -n 20 "$cache/unpack.log"; exit 1; }
# The machine's own way to the packages: its proxy and sources, nothing else.
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
# What every installation has, and debootstrap does not make.
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d"
cp -r /etc/apt/sources.list /etc/apt/sources.list.d "$root/etc/apt/" 2>/dev/null || true
cp -r /etc/apt/trusted.gpg.d/. "$root/etc/apt/trusted.gpg.d/" 2>/dev/null || true
mkdir -p "$root/usr/local/share" && cp -r /usr/local/share/ca-certificates "$root/usr/local/share/" 2>/dev/null || true
mkdir -p "$root/etc/ssl" && cp -r /etc/ssl/certs "$root/etc/ssl/" 2>/dev/null || true
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"

git clone -q "$top" "$root/root/tocsin"
git -C "$root/root/tocsin" checkout -q "$(git -C "$top" rev-parse "$revision")"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

say "./bootstrap run"
inside sh -c 'cd /root/tocsin && exec ./bootstrap run' >"$cache/run.log" 2>&1 &
daemon=$!
for i in $(seq 6000); do
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
	kill -0 "$daemon" 2>/dev/null || { tail -n 40 "$cache/run.log"; say "FAILED: run ended"; exit 1; }
	read -r -t 0.1 <> <(:) || true
done
say "an alert"
token=$(cat "$root/root/tocsin/var/ingest.token")
line=$(head -n 1 "$root/root/tocsin/tests/corpus/falco-live/default-rules.jsonl")
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'POST /ingest/falco/%s HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' "$token" "${#line}" "$line" >&3
grep -q '"accepted":1' <&3 || { say "FAILED: the alert was not accepted"; exit 1; }
exec 3>&-
inside sh -c "cd /root/tocsin && ./build/bin/tocsin --server http://127.0.0.1:$port alerts list" | tee "$cache/alerts.log"
grep -q 'Launch Sensitive Mount Container' "$cache/alerts.log" || { say "FAILED: the alert cannot be read back"; exit 1; }
inside sh -c "cd /root/tocsin && ./build/bin/tocsin --server http://127.0.0.1:$port incidents list"
say "./bootstrap check"
inside sh -c 'cd /root/tocsin && ./bootstrap check' >"$cache/check.log" 2>&1 || { tail -n 60 "$cache/check.log"; say "FAILED: check"; exit 1; }
grep -E '^# (TOTAL|PASS|SKIP|FAIL|ERROR):' "$cache/check.log"
say "ok"
