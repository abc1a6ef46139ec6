# What it takes to run the React Native bindings without a phone: sources and headers out of npm packages, unpacked into the
# cache (no dependencies, no install scripts), and JavaScriptCore from Debian.
# The first version of React Native is the one that the host program is built with; the generated C++ must compile for all.
REACT_NATIVES=(0.86.3 0.76.9)
JAVASCRIPTCORE=0.2.0
HERMES_COMPILER=250829098.0.17 # React Native 0.86.3's

# npm_package NAME VERSION: prints the folder it is unpacked in.
npm_package() {
  local folder="$CACHE/npm/${1//\//+}-$2"
  if [ ! -e "$folder/package.json" ]; then
    need_node
    note "fetching the npm package $1 $2"
    rm -rf "$folder.new"; mkdir -p "$folder.new"
    (cd "$folder.new" && npm pack --silent "$1@$2" >/dev/null && tar xf ./*.tgz --strip-components=1 && rm ./*.tgz) \
      || die "$1@$2 could not be had from the npm registry: check 'npm ping'"
    rm -rf "$folder"; mv "$folder.new" "$folder"
  fi
  printf '%s\n' "$folder"
}

has_javascriptcore() { have pkg-config && pkg-config --exists javascriptcoregtk-4.1; }
javascriptcore_possible() { [ "$(uname -s)" = Linux ] && { has_javascriptcore || can_apt; }; }

need_javascriptcore() {
  need make make "Install make (Debian: apt-get install make)."
  need c++ g++ "Install a C++ 20 compiler (Debian: apt-get install g++)."
  if ! has_javascriptcore && can_apt; then
    note "installing JavaScriptCore"
    apt_install pkg-config libjavascriptcoregtk-4.1-dev || true
  fi
  has_javascriptcore || die "JavaScriptCore is missing. Install WebKitGTK's 4.1 (Debian: apt-get install pkg-config libjavascriptcoregtk-4.1-dev)."
}

JSI_BUILD="$ROOT/target/react-native"

# make_jsi TARGET BINDINGS: the host program over the C++ in the package and the library of BINDINGS, or only `headers`.
make_jsi() {
  local versions=() version
  for version in "${REACT_NATIVES[@]}"; do versions+=("$(npm_package react-native "$version")"); done
  make --no-print-directory -j2 -C "$ROOT/bindings/react-native/jsi" OUT="$JSI_BUILD" CORE="$2/lib" RN="${versions[0]}" \
    HEADERS="${versions[*]}" JSC="$(npm_package @react-native-community/javascriptcore "$JAVASCRIPTCORE")" "$1"
}

# The package in React Native's way: every test that needs nothing of Node runs in Node and in the host program, and must be
# the same there. What holds is a line that begins with "ok".
# react_native_suite BINDINGS LIBRARY (the one that BINDINGS was generated from)
react_native_suite() {
  local bindings=$1 library=$2 package="$ROOT/bindings/react-native" names="$JSI_BUILD/names" script="$JSI_BUILD/tests.js"
  npm --prefix "$package" ci --silent
  npm --prefix "$package" run --silent build-tests
  mkdir -p "$JSI_BUILD"

  make_jsi headers "$bindings"
  echo "ok the generated C++ compiles without warnings for React Native ${REACT_NATIVES[*]}"
  make_jsi "$JSI_BUILD/host" "$bindings"

  node "$package/scripts/bundle-for-jsi.mjs" tests "$script"
  "$(npm_package hermes-compiler "$HERMES_COMPILER")/hermesc/linux64-bin/hermesc" -O -w -emit-binary -out "$script.hbc" "$script"
  echo 'ok Hermes compiles the script'

  node "$package/scripts/run-tests.mjs" --shared "$names.node"
  timeout 600 "$JSI_BUILD/host" "$script" | tee "$JSI_BUILD/output"
  sed -n 's/^ok \([0-9] .*\)/\1/p' "$JSI_BUILD/output" | LC_ALL=C sort >"$names.jsi"
  LC_ALL=C sort -o "$names.node" "$names.node"
  diff "$names.node" "$names.jsi" || die "in Node and through React Native's interface not the same tests ran"
  echo 'ok the same tests ran in both'

  rm -rf "$JSI_BUILD/again"
  generate_react_native "$library" "$JSI_BUILD/again"
  diff -r "$JSI_BUILD/again" "$bindings/react-native"
  echo 'ok generating again gives the same files'

  node "$package/scripts/check-package.mjs" "$(npm_package react-native "${REACT_NATIVES[0]}")" \
    "$(npm_package @react-native/virtualized-lists "${REACT_NATIVES[0]}")"
}
