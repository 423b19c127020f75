#!/bin/sh
# test/fresh/first-hour.sh FOLDER: runs `npm start` in the current folder, a fresh checkout after npm ci; uploads and
# downloads; stops; runs `npm start` again, and checks that the publication is there. FOLDER is an empty folder for
# temporary files. Port 8420 must be free: run it alone, for example in `unshare --net`, which also shows that it
# needs nothing from outside.
set -eu
scratch=$1
npm=

stop() {
  [ -n "$npm" ] || return 0
  kill "$npm" 2>/dev/null || true
  wait "$npm" || true
  npm=
}
trap stop EXIT

# start LOG: starts the hub and waits until it says that it runs.
start() {
  : >"$1"
  npm start >"$1" 2>&1 &
  npm=$!
  seconds=0
  until grep -q '^ready' "$1"; do
    if ! kill -0 "$npm" 2>/dev/null || [ "$seconds" -ge 120 ]; then
      cat "$1"
      echo "npm start is not ready after $seconds s" >&2
      exit 1
    fi
    sleep 1
    seconds=$((seconds + 1))
  done
}

start "$scratch/first.log"
link=$(grep -o 'http://[^ ]*/setup#[^ ]*' "$scratch/first.log")
tools/run node test/fresh/first-upload.ts upload "$link" "$scratch"
stop
start "$scratch/second.log"
if grep -q '/setup#' "$scratch/second.log"; then
  echo "the second start offers setup again" >&2
  exit 1
fi
tools/run node test/fresh/first-upload.ts download "$scratch"
stop
# Stopping npm has stopped the hub: its port is free.
start "$scratch/third.log"
