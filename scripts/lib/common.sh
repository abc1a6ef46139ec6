# Shared by every script: where things are, how to say things, how to get what is missing.
# Sourced, never run. After sourcing, the working directory is the checkout's top.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$ROOT"

# Heavy tools are built once and shared by all checkouts of this user; delete the folder to start afresh.
CACHE=${SAFESCAN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/safescan}
mkdir -p "$CACHE"

# Generated sources and the native libraries the language packages load: never committed.
GENERATED="$ROOT/target/bindings"

if [ -t 2 ]; then BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' RESET=$'\e[0m'; else BOLD='' DIM='' RED='' RESET=''; fi

say()  { printf '%s▸ %s%s\n' "$BOLD" "$*" "$RESET" >&2; }
note() { printf '%s  %s%s\n' "$DIM" "$*" "$RESET" >&2; }
die()  { printf '%serror:%s %s\n' "$RED" "$RESET" "$*" >&2; exit 1; }

# macOS has version 3, in which an empty list is an error.
[ "${BASH_VERSINFO[0]}" -ge 5 ] || die "Bash $BASH_VERSION is too old: 5 or newer is needed (macOS: brew install bash)"

have() { command -v "$1" >/dev/null 2>&1; }

# Debian with root is the one place where a missing tool is installed rather than asked for.
can_apt() { [ "$(id -u)" = 0 ] && have apt-get; }

apt_updated=
apt_install() {
  can_apt || return 1
  if [ -z "$apt_updated" ]; then apt-get update -qq >/dev/null; apt_updated=1; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# need COMMAND DEBIAN_PACKAGE HINT: there, or installed, or one clear line and exit 1.
need() {
  have "$1" && return
  if can_apt; then note "installing $2"; apt_install "$2" || true; fi
  have "$1" || die "'$1' is missing. $3"
}

need_rust() {
  have cargo || die "'cargo' is missing. Install Rust $(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml) or newer from https://rustup.rs"
  need cc gcc "Install a C compiler (Debian: apt-get install gcc libc6-dev)."
}

# Tests of the core, of the server and of its kit are compiled together, with one set of features: chosen one by one, each
# choice would have features of its own, and all would be compiled again for it.
RUST_TESTS=(-p safescan-core -p safescan-server -p safescan-conformance --features safescan-core/test-hooks)

need_node() {
  have node || { can_apt && apt_install nodejs npm || true; }
  have node && have npm || die "'node' and 'npm' are missing. Install Node.js 20 or newer from https://nodejs.org"
  local major; major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || die "Node.js $(node -v) is too old: 20 or newer is needed (https://nodejs.org)"
}

need_maven() {
  need javac openjdk-17-jdk-headless "Install a JDK 17 or newer (Debian: apt-get install openjdk-17-jdk-headless)."
  need mvn maven "Install Maven 3.8 or newer (Debian: apt-get install maven)."
}

# Several scripts may want the same heavy tool at once; the second waits and then finds it made.
with_lock() { # NAME COMMAND...
  local name=$1; shift
  # macOS has no flock: there, scripts that are started at once may make the same thing twice.
  have flock || { "$@"; return; }
  exec 9>"$CACHE/$name.lock"; flock 9; "$@"; local rc=$?; exec 9>&-; return $rc
}

case "$(uname -s)" in
  Darwin) LIB_EXT=dylib ;;
  *)      LIB_EXT=so ;;
esac
