# shellcheck shell=sh
# Finds Node 26. Read by bin/everseed and tools/run into their own shell.

# find_run_time FOLDER: sets `node` to the Node that serves the Everseed in FOLDER. The one that came as a
# package goes first, then the system's. Without either it says what to do, and fails.
find_run_time() {
  # npm installs the package of this machine's processor only; both are here when somebody asked for both.
  arm=; intel=
  if [ -e /lib/ld-linux-aarch64.so.1 ]; then find_package "$1" arm64 && arm=$node; fi
  if [ -e /lib64/ld-linux-x86-64.so.2 ]; then find_package "$1" x64 && intel=$node; fi
  if [ -n "$arm" ] && [ -n "$intel" ]; then
    case $(uname -m) in
      aarch64) intel= ;;
      *) arm= ;;
    esac
  fi
  if [ -n "$intel" ]; then
    node=$intel
    lend_libatomic x86_64-linux-gnu "$1/bin/libatomic/x64"
    return 0
  fi
  if [ -n "$arm" ]; then
    node=$arm
    lend_libatomic aarch64-linux-gnu "$1/bin/libatomic/arm64"
    return 0
  fi
  set -- "$(CDPATH='' cd -- "$1" && pwd -P)"
  if node=$(command -v node) && [ "$("$node" -p 'parseInt(process.versions.node)')" -ge 26 ]; then
    return 0
  fi
  if [ -d "$1/src" ] && [ ! -d "$1/node_modules" ]; then
    echo "everseed: What it needs is not installed yet. Run npm ci in $1" >&2
  else
    echo "everseed: Node 26 is missing. Run npm ci without --omit=optional in $1, or install Node 26 or newer." >&2
  fi
  return 1
}

# find_package FOLDER PROCESSOR: sets `node` to that of the package for the processor, in FOLDER's node_modules or
# in the folder that holds FOLDER when npm has put us beside our dependencies. The packages need the loader of
# glibc, which is looked for before; a system without it (Alpine) has to bring its own Node.
find_package() {
  for node in "$1/node_modules/node-linux-$2/bin/node" "$1/../node-linux-$2/bin/node"; do
    if [ -x "$node" ]; then return 0; fi
  done
  return 1
}

# lend_libatomic TRIPLET FOLDER: where the system lacks libatomic.so.1, which Node 26 needs and Debian's nodejs does
# not bring, `node` takes the one in FOLDER (see tools/libatomic/). So does what it starts.
lend_libatomic() {
  for place in "/usr/lib/$1" "/lib/$1" /usr/lib64 /lib64 /usr/lib /lib; do
    if [ -e "$place/libatomic.so.1" ]; then return; fi
  done
  # It may lie where only the loader knows.
  if "$node" --version >/dev/null 2>&1; then return; fi
  LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$2
  export LD_LIBRARY_PATH
}
