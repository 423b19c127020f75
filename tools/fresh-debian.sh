#!/bin/sh
# tools/fresh-debian.sh [--tests] [--keep FOLDER]: runs the two commands of the README in a new Debian 12 that has
# `nodejs npm ca-certificates` and nothing else: npm ci, npm start, an upload, a download, as a user without a home. Then the
# life of our Debian package there; it is built on this machine, which needs npm ci for that.
# --tests also runs the whole of npm test there, as root. --keep reuses the Debian in FOLDER, or creates it there.
# Takes about four minutes. Needs root, and a machine that has Debian's own package sources.
set -eu
repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$repository/test/fresh/world.sh"
tests=false
root=
while [ $# -gt 0 ]; do
  case $1 in
    --tests) tests=true ;;
    --keep) root=$2 && shift ;;
    *) fail "no such option: $1" ;;
  esac
  shift
done
need_programs git npm mmdebstrap dpkg-deb=dpkg ip=iproute2 unshare=util-linux setpriv=util-linux
need_root

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
[ -n "$root" ] || root=$work/debian

# sources: prints the Debian mirrors of this machine.
sources() {
  # shellcheck disable=SC2016 # For apt-get to expand.
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
    sed -n '/^deb [^ ]* bookworm/p' | sort -u
}

make_debian() {
  sources >"$work/sources.list"
  if [ ! -s "$work/sources.list" ]; then
    apt-get update -qq
    sources >"$work/sources.list"
  fi
  [ -s "$work/sources.list" ] || fail "this machine has no package sources of Debian 12"
  # The settings with which this machine reaches them.
  apt-config dump | grep -E '^Acquire::' >"$work/apt.conf" || true
  mmdebstrap --quiet --variant=apt --include=nodejs,npm,ca-certificates --aptopt="$work/apt.conf" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$root" "$work/sources.list"
}
[ -x "$root/usr/bin/npm" ] || make_debian
for each in "$root"/usr/lib/*/libatomic.so.1 "$root/usr/bin/git" "$root/usr/bin/gcc"; do
  [ ! -e "$each" ] || fail "$each is there: this is no Debian with nothing but nodejs, npm and ca-certificates"
done

# The way to the registry: names, certificates, settings.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp -L /etc/hosts "$root/etc/hosts"
echo "$REGISTRY_SETTINGS" | sed -n 's/^[A-Za-z_]*=\(\/.*\)/\1/p' | sort -u | while read -r file; do
  if [ -f "$file" ]; then mkdir -p "$root$(dirname "$file")" && cp -L "$file" "$root$file"; fi
done

rm -rf "$root/srv/everseed" "$root/srv/scratch"
git clone --quiet "$repository" "$root/srv/everseed"
mkdir "$root/srv/scratch"
chown -R "$STRANGER:$STRANGER" "$root/srv/everseed" "$root/srv/scratch"

# in_debian NET COMMAND...: NET is `net` for the machine's network, `alone` for loopback only. The mounts go with
# the last process.
in_debian() {
  net=
  [ "$1" = net ] || net=--net
  shift
  # shellcheck disable=SC2016,SC2086
  PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin HOME=/nonexistent clean_env \
    unshare --mount $net -- sh -ec '
      root=$1 net=$2
      shift 2
      mount -t proc proc "$root/proc"
      mount --rbind /dev "$root/dev"
      mount -t tmpfs tmpfs "$root/dev/shm"
      [ -z "$net" ] || ip link set lo up
      exec chroot "$root" /bin/sh -ec "cd /srv/everseed; exec \"\$@\"" sh "$@"
    ' sh "$root" "$net" "$@"
}
as_stranger="setpriv --reuid $STRANGER --regid $STRANGER --clear-groups"

# shellcheck disable=SC2016,SC2086
in_debian net $as_stranger sh -c 'echo "-- Debian $(cat /etc/debian_version), Node $(node --version), npm $(npm --version)"'
# shellcheck disable=SC2086
in_debian net $as_stranger npm ci
# shellcheck disable=SC2086
in_debian alone $as_stranger test/fresh/first-hour.sh /srv/scratch

# The package has the same bytes whenever it is built from the same sources.
build_deb() {
  "$repository/tools/build-deb" --compression zstd --version "$1" --out "$2" >/dev/null
}
mkdir "$work/again"
build_deb 0.1.0 "$root/srv/scratch"
build_deb 0.1.0 "$work/again"
build_deb 0.1.1 "$root/srv/scratch"
deb=everseed_0.1.0_$(dpkg --print-architecture).deb
cmp "$root/srv/scratch/$deb" "$work/again/$deb" || fail "two builds of the package differ"
in_debian alone test/fresh/package-life.sh "/srv/scratch/$deb" "/srv/scratch/everseed_0.1.1_$(dpkg --print-architecture).deb"
echo "-- the Debian package"

if $tests; then
  in_debian net env HOME=/root npm test
fi
echo "fresh Debian: 1 passed, 0 failed"
