# Builds the phones, and tells how each is started. Sourced by scripts/demo and scripts/storm, after scripts/lib/*.sh.
logs="$ROOT/target/demo-logs"; mkdir -p "$logs"
export SAFESCAN_BINDINGS="$GENERATED/ship"
# Not the shipping profile: its long link would be paid for the server and each program here.
RUST_PROFILE=test-library
RUST_OUT="$ROOT/target/$RUST_PROFILE"

build() { # NAME COMMAND…
  say "building $1"
  "${@:2}" >"$logs/$1.log" 2>&1 || { tail -n 40 "$logs/$1.log" >&2; die "$1 did not build: $logs/$1.log"; }
}

build_phone() { # NAME
  case "$1" in
    rust) ;; # with the orchestrator
    kotlin) need_maven; build kotlin mvn --batch-mode --no-transfer-progress -f bindings/kotlin -Pdemo process-classes ;;
    swift) build swift swift_phone ;;
    typescript) need_node; build typescript typescript_phone ;;
  esac
}
swift_phone() {
  ensure_swift && bindings/swift/prepare \
    && run_swift swift build -c release --product DemoPhone --package-path bindings/swift --scratch-path target/swift/ship
}
typescript_phone() { npm --prefix bindings/react-native ci --silent && npm --prefix bindings/react-native --silent run build; }

build_rust() {
  build server cargo build --quiet --profile "$RUST_PROFILE" -p safescan-server
  build rust cargo build --quiet --profile "$RUST_PROFILE" -p safescan-demo
}

phone_command() { # NAME
  case "$1" in
    rust) echo "$RUST_OUT/phone" ;;
    kotlin) echo "java -cp '$SAFESCAN_BINDINGS/maven-demo/classes:$SAFESCAN_BINDINGS/maven-demo/dependency/*' dev.safescan.demo.PhoneKt" ;;
    # Swift may live in a root of its own: a script can be asked to run a command there.
    swift) echo "bash -c '. \"$ROOT/scripts/lib/common.sh\"; . \"$ROOT/scripts/lib/swift.sh\"; run_swift target/swift/ship/release/DemoPhone \"\$@\"' phone" ;;
    typescript) echo "node bindings/react-native/build/demo/phone.js" ;;
  esac
}
