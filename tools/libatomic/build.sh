#!/bin/sh
# tools/libatomic/build.sh [FOLDER [MACHINE...]]: builds libatomic.so.1 for x64 and arm64, by default below
# bin/libatomic. Needs Debian 12's gcc and, for arm64 on x64, gcc-aarch64-linux-gnu. The files are in the repository,
# because the machines that need them have no compiler.
set -eu
cd "$(dirname "$0")"
out=${1:-../../bin/libatomic}
if [ $# -gt 1 ]; then shift; else set -- x64 arm64; fi
map=$(mktemp)
trap 'rm -f "$map"' EXIT
echo 'LIBATOMIC_1.0 { global: __atomic_compare_exchange; local: *; };' >"$map"

for machine in "$@"; do
  case $machine in
    x64) compiler=gcc ;;
    arm64) compiler="aarch64-linux-gnu-gcc -mno-outline-atomics" ;;
    *) echo "no such machine: $machine" >&2 && exit 2 ;;
  esac
  mkdir -p "$out/$machine"
  # shellcheck disable=SC2086 # The compiler may have options.
  $compiler -O2 -Wall -Wextra -Werror -fPIC -fno-asynchronous-unwind-tables -shared -nostdlib -s \
    -Wl,-soname,libatomic.so.1,--version-script="$map",--build-id=none,--hash-style=gnu \
    -Wl,-z,noseparate-code,-z,norelro,-z,noexecstack \
    -o "$out/$machine/libatomic.so.1" compare-exchange.c
  chmod 644 "$out/$machine/libatomic.so.1"
done
