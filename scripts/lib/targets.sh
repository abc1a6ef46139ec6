# A Rust compiler for phones. Where rustup has a target, rustup's; else (Debian with root) the compiler that Debian builds its
# browsers with, whose standard library lies beside it as source and is checked along.
PHONES=(aarch64-linux-android armv7-linux-androideabi x86_64-linux-android aarch64-apple-ios aarch64-apple-ios-sim)
PHONE_RUST="$CACHE/phone-rust"

has_target() { [ -d "$(rustc --print target-libdir --target "$1" 2>/dev/null)" ]; }
phones_possible() {
  local target
  [ -e "$PHONE_RUST/rustc" ] || can_apt && return
  for target in "${PHONES[@]}"; do has_target "$target" || return 1; done
}

build_phone_rust() {
  [ -e "$PHONE_RUST/rustc" ] && return
  note 'fetching a Rust compiler that has its standard library as source: once per machine, 110 MB'
  rm -rf "$PHONE_RUST/root"; mkdir -p "$PHONE_RUST/packages" "$PHONE_RUST/root"
  # Unpacked, not installed: as packages they do not go together with another Rust. What they need besides is installed.
  apt-get update -qq >/dev/null
  (cd "$PHONE_RUST/packages" && apt-get download -qq rustc-web rust-web-src libstd-rust-web-dev \
    && apt-get download -qq "$(dpkg -f libstd-rust-web-dev_*.deb Depends | grep -om1 'libstd-rust-web-[0-9.]*')") 2>/dev/null \
    || die "the packages rustc-web and rust-web-src could not be had from Debian's security suite: check 'apt-cache policy rustc-web'"
  local needs; needs=$(dpkg -f "$(ls "$PHONE_RUST"/packages/libstd-rust-web-[0-9]*.deb)" Depends | grep -om1 'libllvm[0-9]*')
  apt_install "$needs" || die "the package $needs could not be installed"
  local package; for package in "$PHONE_RUST"/packages/*.deb; do dpkg -x "$package" "$PHONE_RUST/root"; done
  rm -rf "$PHONE_RUST/packages"
  local libraries="$PHONE_RUST/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)"
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/root/usr/bin/rustc "$@"\n' "$libraries" "$PHONE_RUST" >"$PHONE_RUST/rustc.new"
  chmod +x "$PHONE_RUST/rustc.new"
  "$PHONE_RUST/rustc.new" -vV >/dev/null || die "the compiler in $PHONE_RUST does not start"
  mv "$PHONE_RUST/rustc.new" "$PHONE_RUST/rustc"
}

# C is compiled elsewhere, and checking never links.
make_stand_ins() {
  mkdir -p "$PHONE_RUST/bin" "$PHONE_RUST/sdk"
  # A C compiler that makes empty what it is asked to make.
  cat >"$PHONE_RUST/bin/cc" <<'CC'
#!/bin/sh
last=
for word; do
  [ "$last" != -o ] || : >"$word"
  case $word in -o?*) : >"${word#-o}" ;; esac
  last=$word
done
CC
  cp "$PHONE_RUST/bin/cc" "$PHONE_RUST/bin/ar"; chmod +x "$PHONE_RUST"/bin/*
}

# check_target TARGET: warnings are errors.
check_target() (
  local name=${1//-/_}
  make_stand_ins
  export "CC_$name=$PHONE_RUST/bin/cc" "AR_$name=$PHONE_RUST/bin/ar" SDKROOT="$PHONE_RUST/sdk" RUSTFLAGS=-Dwarnings
  phone_cargo "$1" check --quiet --profile generator -p safescan-core
)

# phone_cargo TARGET COMMAND …: Cargo with a compiler and a standard library for this target. What it builds lies in the
# cache, for all checkouts.
phone_cargo() (
  local target=$1 command=$2; shift 2
  export CARGO_TARGET_DIR="$PHONE_RUST/target"
  if has_target "$target"; then cargo "$command" --target "$target" "$@"; return; fi
  can_apt || [ -e "$PHONE_RUST/rustc" ] || die "Rust for $target is missing: rustup target add $target"
  with_lock phone-rust build_phone_rust
  local std=std,panic_unwind; [ "$command" != test ] || std+=,test
  RUSTC="$PHONE_RUST/rustc" RUSTC_BOOTSTRAP=1 cargo "$command" --target "$target" "-Zbuild-std=$std" "$@"
)
