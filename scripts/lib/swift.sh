# Swift: the machine's own where there is one, else (Debian with root) Debian trixie's Swift 6 in a folder of its own.
SWIFT_ROOT="$CACHE/swift-trixie"

swift_here() { have swift; }
swift_possible() { swift_here || [ -e "$SWIFT_ROOT/.complete" ] || can_apt; }

debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/$'
}

build_swift_root() {
  [ -e "$SWIFT_ROOT/.complete" ] && return
  need debootstrap debootstrap "Install debootstrap, or Swift 6 from https://swift.org/install"
  say "installing Swift 6 into $SWIFT_ROOT: once per machine, about 2 minutes and 3.2 GB"
  rm -rf "$SWIFT_ROOT"
  debootstrap --variant=minbase trixie "$SWIFT_ROOT" "$(debian_mirror)" >"$CACHE/swift-root.log" 2>&1 \
    || die "debootstrap failed; its log is $CACHE/swift-root.log"
  # Proxy and registry settings of this machine hold inside as well.
  cp -r /etc/apt/apt.conf.d/. "$SWIFT_ROOT/etc/apt/apt.conf.d/" 2>/dev/null || true
  in_swift_root apt-get install -y -qq --no-install-recommends swiftlang libc6-dev libstdc++-14-dev >>"$CACHE/swift-root.log" 2>&1 \
    || die "Swift could not be installed; the log is $CACHE/swift-root.log"
  rm -rf "$SWIFT_ROOT"/var/cache/apt/archives/*.deb
  touch "$SWIFT_ROOT/.complete"
}

# Mounts live in a mount namespace of the command's own, so that nothing is left behind whatever ends it.
in_swift_root() {
  SWIFT_ROOT=$SWIFT_ROOT HERE=$ROOT unshare --mount bash -euc '
    mount --make-rprivate /
    mkdir -p "$SWIFT_ROOT$HERE"
    mount -t proc proc "$SWIFT_ROOT/proc"
    mount --rbind /dev "$SWIFT_ROOT/dev"
    mount --bind "$HERE" "$SWIFT_ROOT$HERE"
    cd "$HERE"
    exec chroot "$SWIFT_ROOT" env HOME=/root LANG=C.UTF-8 bash -c "cd \"\$0\" && exec \"\$@\"" "$PWD" "$@"' run "$@"
}

ensure_swift() { swift_here || [ -e "$SWIFT_ROOT/.complete" ] || with_lock swift build_swift_root; }

# run_swift COMMAND...: in the checkout's top, wherever Swift lives.
run_swift() { if swift_here; then "$@"; else in_swift_root "$@"; fi; }
