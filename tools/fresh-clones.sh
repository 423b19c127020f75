#!/bin/sh
# tools/fresh-clones.sh [NODE+NPM...]: runs the two commands of the README in fresh clones of HEAD, each with another
# Node and npm from the registry: those of Debian 12, and Node 20, 22 and 24 with the npm they came with. Takes about a
# minute each. Needs root: each hub starts in a separate network that has only loopback.
set -eu
repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$repository/test/fresh/world.sh"
need_programs git npm ip=iproute2 unshare=util-linux setpriv=util-linux
need_root
[ $# -gt 0 ] || set -- 18.20+9.2 20+10 22+10 24+11

work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT

# try_one NODE NPM: exits this function's shell when a step fails.
try_one() (
  echo "-- Node $1, npm $2"
  mkdir -p "$work/node-$1"
  cd "$work/node-$1"
  echo '{"private":true}' >package.json
  npm install --silent --ignore-scripts --no-audit "node-linux-$(node -p process.arch)@$1" "npm@$2"
  # Only these two, under their usual names.
  mkdir programs
  ln -s "$PWD/node_modules/node-linux-$(node -p process.arch)/bin/node" programs/node
  ln -s "$PWD/node_modules/npm/bin/npm-cli.js" programs/npm
  PATH=$PWD/programs:$PATH
  echo "   $(node --version), npm $(npm --version)"

  clone="$work/a folder for $1"
  scratch=$work/scratch-$1
  git clone --quiet "$repository" "$clone"
  mkdir "$scratch"
  cd "$clone"
  as_user="env npm_config_cache=$work/cache"
  flags=
  HOME=$scratch
  case $1 in
    18*) # A user who has no home and shares no cache.
      HOME=/nonexistent
      as_user="setpriv --reuid $STRANGER --regid $STRANGER --clear-groups"
      chown -R "$STRANGER:$STRANGER" "$clone" "$scratch"
      ;;
    20*) flags=--ignore-scripts ;;
  esac
  export PATH HOME
  # shellcheck disable=SC2086 # No word, or some.
  clean_env $as_user npm ci $flags
  # shellcheck disable=SC2016,SC2086
  clean_env $as_user npm test -- src/bencode/decode >"$scratch/test.log" || { cat "$scratch/test.log"; exit 1; }
  case $1 in
    18*) # Each tool that a script starts.
      for script in "run types" "run lint -- src/bencode" "run format -- --check src/bencode" "run build" \
        "run fuzz -- --seconds 1 --target bencode" "pack --dry-run"; do
        # shellcheck disable=SC2086
        clean_env $as_user npm $script >"$scratch/script.log" 2>&1 ||
          { echo "npm $script:"; cat "$scratch/script.log"; exit 1; }
      done
      ;;
  esac
  # shellcheck disable=SC2016,SC2086
  clean_env unshare --net -- sh -c 'ip link set lo up && exec "$@"' sh \
    $as_user test/fresh/first-hour.sh "$scratch"
)

for each in "$@"; do
  try_one "${each%%+*}" "${each##*+}"
done
echo "fresh clones: $# passed, 0 failed"
