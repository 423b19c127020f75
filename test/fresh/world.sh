# shellcheck shell=sh
# Functions shared by tools/fresh-clones.sh and tools/fresh-debian.sh, which source this file.

# A user without a writable home.
# shellcheck disable=SC2034 # Used by those who read this.
STRANGER=65534

# need_programs PROGRAM...: fails with the names of all missing programs; an argument may be `program=package`.
need_programs() {
  missing=
  for each in "$@"; do
    command -v "${each%%=*}" >/dev/null || missing="$missing ${each##*=}"
  done
  [ -z "$missing" ] || fail "these programs are missing; install the Debian packages:$missing"
}

# need_root: fails when we are not root, or may not mount.
need_root() {
  [ "$(id -u)" = 0 ] || fail "must run as root: it makes network and mount namespaces"
  unshare --mount --net true 2>/dev/null || fail "may not make mount and network namespaces (CAP_SYS_ADMIN)"
}

fail() {
  echo "$(basename "$0"): $1" >&2
  exit 1
}

# registry_settings: how this machine's npm and certificates reach the registry, one NAME=VALUE per line, for an
# otherwise empty environment.
registry_settings() {
  env | grep -iE '^(https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_file|npm_config_registry)=' || true
  for key in registry cafile proxy https-proxy; do
    value=$(npm config get "$key")
    case $value in
      "" | null | undefined) ;;
      *) echo "npm_config_$key=$value" | tr - _ ;;
    esac
  done
}

# Read once, while HOME and npm are still those of this machine.
REGISTRY_SETTINGS=$(registry_settings)

# clean_env COMMAND...: runs it with these settings, PATH, HOME and nothing else. Lines are split only at their ends.
clean_env() {
  old_ifs=$IFS
  IFS='
'
  # shellcheck disable=SC2086 # One word a line is what we want.
  set -- env -i $REGISTRY_SETTINGS PATH="$PATH" HOME="$HOME" LANG=C.UTF-8 TERM=dumb npm_config_update_notifier=false "$@"
  IFS=$old_ifs
  "$@"
}
