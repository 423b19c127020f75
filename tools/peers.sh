#!/bin/sh
# Installs the missing foreign programs that `npm run test:interop` tests against (Debian 12), and those that
# tools/fresh-debian.sh needs. Without root it only lists what is missing.
set -eu

# program or python module : Debian package
wanted="
aria2c:aria2
transmission-cli:transmission-cli
transmission-daemon:transmission-daemon
qbittorrent-nox:qbittorrent-nox
opentracker:opentracker
mktorrent:mktorrent
python:libtorrent:python3-libtorrent
python:transmissionrpc:python3-transmissionrpc
chromium:chromium
zbarimg:zbar-tools
nginx:nginx-light
caddy:caddy
rsync:rsync
mmdebstrap:mmdebstrap
openssl:openssl
ip:iproute2
nft:nftables
miniupnpd:miniupnpd-nftables
danted:dante-server
tinyproxy:tinyproxy-bin
strace:strace
zsh:zsh
fish:fish
faketime:faketime
"

missing=""
for entry in $wanted; do
  package=${entry##*:}
  case $entry in
    python:*)
      module=${entry#python:}
      /usr/bin/python3 -c "import ${module%%:*}" 2>/dev/null || missing="$missing $package"
      ;;
    *) command -v "${entry%%:*}" >/dev/null || missing="$missing $package" ;;
  esac
done

if [ -z "$missing" ]; then
  echo "peers: all there"
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "peers: missing:$missing" >&2
  echo "  Try: sudo apt-get install --no-install-recommends$missing" >&2
  exit 1
fi
echo "peers: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Services of these packages must not start: tests start their own, on free ports.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq </dev/null
# shellcheck disable=SC2086 # a list of words is what is meant
apt-get install -qq -y --no-install-recommends $missing </dev/null >/dev/null
echo "peers: installed"
