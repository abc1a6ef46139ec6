# The TypeScript generator (uniffi-bindgen-react-native, "ubrn"): an npm package that ships Rust sources.
# Its version follows the uniffi pin; see docs/adr/0001-uniffi-pin.md.
UBRN_VERSION=0.31.0-5
UBRN="$CACHE/ubrn-$UBRN_VERSION/uniffi-bindgen-react-native"

build_ubrn() {
  [ -x "$UBRN" ] && return
  need_rust; need_node
  say "building the TypeScript generator (ubrn $UBRN_VERSION): once per machine, about 4 minutes"
  local home="$CACHE/ubrn-$UBRN_VERSION"; local src="$home/src"
  rm -rf "$src"; mkdir -p "$src"
  (cd "$src" && npm pack --silent "uniffi-bindgen-react-native@$UBRN_VERSION" >/dev/null && tar xf ./*.tgz) \
    || die "uniffi-bindgen-react-native@$UBRN_VERSION could not be had from the npm registry: check 'npm ping'"
  # Only the command line is wanted; the package's fixtures and examples would not resolve.
  (cd "$src/package" && CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$src/target" \
     cargo build --quiet -p uniffi-bindgen-react-native --bin uniffi-bindgen-react-native) \
    || die "ubrn $UBRN_VERSION did not build; its sources are in $src"
  cp "$src/target/debug/uniffi-bindgen-react-native" "$UBRN.new" && mv "$UBRN.new" "$UBRN"
  rm -rf "$src"
}

ensure_ubrn() { [ -x "$UBRN" ] || with_lock ubrn build_ubrn; }

# adapt_docs LANGUAGE FILE: comments as that language's developers read them.
adapt_docs() {
  awk -v language="$1" -f scripts/lib/adapt-docs.awk "$2" >"$2.new"
  ! cmp -s "$2" "$2.new" || die "the $1 generator writes other comments now: nothing matches in scripts/lib/adapt-docs.awk"
  mv "$2.new" "$2"
}

# generate_react_native LIBRARY FOLDER: the TypeScript, C++ and glue of React Native, as bindings/react-native/ubrn.config.yaml
# says. The generator writes beside the package.json that it finds: a copy's, in FOLDER.
generate_react_native() {
  local library=$1 folder=$2 package="$ROOT/bindings/react-native"
  mkdir -p "$folder"
  cp "$package/package.json" "$folder/"
  sed "s|^  directory: .*|  directory: $ROOT/core|" "$package/ubrn.config.yaml" >"$folder/ubrn.config.yaml"
  (cd "$ROOT/core" && "$UBRN" generate jsi bindings --no-format --library \
     --ts-dir "$folder/turbo-module" --cpp-dir "$folder/cpp/generated" "$library")
  (cd "$folder" && "$UBRN" generate jsi turbo-module --config ubrn.config.yaml safescan_core)
  adapt_docs typescript "$folder/turbo-module/safescan_core.ts"
  rm "$folder/package.json" "$folder/ubrn.config.yaml"
  # The generator leaves out the end of many a last line.
  find "$folder" -type f | while IFS= read -r file; do [ -z "$(tail -c 1 "$file")" ] || echo >>"$file"; done
}
