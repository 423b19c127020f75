#!/bin/sh
# test/fresh/package-life.sh OLD.deb NEW.deb: the life of the Debian package, as root in a new Debian with only loopback:
# installed, used by a node of the system and by that of a person, upgraded without loss, removed, purged. No systemd runs
# here: the scripts of the package must not mind, and we start the node of the system as its own user.
set -eu
old=$1
new=$2
work=$(mktemp -d)
chmod 755 "$work"
export DEBIAN_FRONTEND=noninteractive
# Nothing is asked outside, and no router.
export EVERSEED_DISCOVERY_DHT=false EVERSEED_DISCOVERY_LSD=false EVERSEED_ROUTER_MAP_PORTS=false EVERSEED_ENGINE_HOST=127.0.0.1

fail() {
  echo "package-life.sh: $1" >&2
  exit 1
}
# Asked: what is looked at, what must be there, what is.
same() {
  [ "$2" = "$3" ] || fail "$1: expected $2, found $3"
}
as() {
  user=$1
  shift
  setpriv --reuid "$user" --regid "$user" --clear-groups env HOME="$(getent passwd "$user" | cut -d: -f6)" "$@"
}
system() {
  as everseed everseed "$@" --system
}
person() {
  as reader env EVERSEED_ENGINE_PORT=8431 everseed "$@"
}
state_of() {
  sed -n 's/.*"state":"\([a-z-]*\)".*/\1/p'
}
# until_seeding WHO: waits until the torrent of a node is whole.
until_seeding() {
  tries=0
  until [ "$("$1" ls --json | state_of)" = seeding ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || fail "the node of $1 has not fetched it: $("$1" ls)"
    sleep 0.5
  done
}
stop_nodes() {
  person daemon stop >/dev/null
  system daemon stop >/dev/null
}

dpkg --install "$old" >/dev/null
same "the version" "$(dpkg-deb --field "$old" Version)" "$(dpkg-query -Wf '${Version}' everseed)"
same "its settings" "640 root everseed" "$(stat -c '%a %U %G' /etc/everseed/everseed.yaml)"
same "its state" "700 everseed everseed" "$(stat -c '%a %U %G' /var/lib/everseed)"
same "what dpkg finds changed" "" "$(dpkg --verify everseed | grep -v /usr/share/man/ || true)"
for page in man1/everseed.1.gz man1/everseed-daemon-start.1.gz man1/vtorrent.1.gz man5/everseed.yaml.5.gz; do
  dpkg-query --listfiles everseed | grep -q "/usr/share/man/$page$" || fail "there is no page $page"
done
same "the service" enabled "$(cat /etc/systemd/system/multi-user.target.wants/everseed.service >/dev/null && echo enabled)"

# The node of the system seeds; the person's node, and a single command, fetch.
useradd --create-home reader
head -c 3000000 /dev/urandom >"$work/tide.bin"
everseed create "$work/tide.bin" -o "$work/tide.torrent" >/dev/null
chmod 644 "$work/tide.torrent" "$work/tide.bin"
everseed config set log.level warn --system >/dev/null
install -d -m 0700 -o everseed -g everseed /run/everseed
system daemon start >/dev/null
pid=$(system daemon status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')
case $(readlink "/proc/$pid/exe") in
  /usr/lib/everseed/*) ;;
  *) fail "another Node runs it: $(readlink "/proc/$pid/exe")" ;;
esac
system add "$work/tide.torrent" -o "$work" >/dev/null
until_seeding system
port=$(system daemon status --json | sed 's/.*"peerPort":\([0-9]*\).*/\1/')
person daemon start >/dev/null
person add "$work/tide.torrent" >/dev/null
person peers tide.bin --add "127.0.0.1:$port" >/dev/null
until_seeding person
got=$(find /home/reader -name tide.bin)
cmp "$work/tide.bin" "$got"
as reader vtorrent -h | grep -q '^Usage: vtorrent'
as reader sh -ec "cd; everseed get $work/tide.torrent -o got --peer 127.0.0.1:$port --dht off --lsd off -q; cmp $work/tide.bin got/tide.bin"

# An upgrade loses nothing: the settings as they were changed, the torrents of both.
stop_nodes
dpkg --install "$new" >/dev/null
same "the version" "$(dpkg-deb --field "$new" Version)" "$(dpkg-query -Wf '${Version}' everseed)"
grep -q '^ *level: warn' /etc/everseed/everseed.yaml || fail "the settings were replaced"
same "its settings" "640 root everseed" "$(stat -c '%a %U %G' /etc/everseed/everseed.yaml)"
system daemon start >/dev/null
person daemon start >/dev/null
until_seeding system
until_seeding person
stop_nodes

# Removed: what is the owner's stays. Installed again it goes on. Purged: only what is outside stays.
dpkg --remove everseed >/dev/null 2>&1
[ ! -e /usr/bin/everseed ] && [ ! -e /usr/lib/everseed ] || fail "the program is there after its removal"
[ -e /var/lib/everseed/everseed.db ] || [ -n "$(ls -A /var/lib/everseed)" ] || fail "its state was removed"
[ -e /etc/everseed/everseed.yaml ] || fail "its settings were removed"
dpkg --install "$new" >/dev/null
system daemon start >/dev/null
until_seeding system
system daemon stop >/dev/null
dpkg --purge everseed >/dev/null 2>&1
for path in /usr/bin/everseed /usr/bin/vtorrent /usr/lib/everseed /var/lib/everseed /etc/everseed \
  /etc/systemd/system/everseed.service /etc/systemd/system/multi-user.target.wants/everseed.service; do
  [ ! -e "$path" ] && [ ! -L "$path" ] || fail "$path is there after a purge"
done
cmp "$work/tide.bin" "$got"
userdel --remove reader 2>/dev/null
rm -rf "$work" /run/everseed
