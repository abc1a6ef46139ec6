# What an app gets from the Android package and from the npm package's Android module, tested as an app's build takes it.
# Sourced after common.sh, android.sh and react-native.sh. What holds is a line that begins with "ok".
REACT_NATIVE_CODEGEN=0.86.3

android_package_suite() {
  need unzip unzip "Install unzip (Debian: apt-get install unzip)."
  local out="$ROOT/target/android"
  same_versions
  libraries_are_packed "$out"
  scripts/assemble-aar
  look_into "$out/safescan-android-$CORE_VERSION.aar"
  with_lock android-package resolve "$out"
  echo 'testing what R8 and D8 make of it'
  mvn --batch-mode --no-transfer-progress -f android/consumer/pom.xml "-Dsafescan.minSdk=$ANDROID_API" test
  compile_react_native_module "$out/react-native"
}

# What apps get is what the tests ran with.
same_versions() {
  local pom name
  for pom in android/pom.xml android/consumer/pom.xml bindings/kotlin/pom.xml; do
    for name in kotlin coroutines jna; do
      grep -q "<$name.version>$(gradle_property "${name}Version")</" "$pom" || die "$pom has another $name.version than android/gradle.properties"
    done
    grep -q "<version>$CORE_VERSION</version>" "$pom" || die "$pom has another version than Cargo.toml"
  done
  echo 'ok the versions of the package and of what it needs are those that were tested'
}

# Stand-ins: the real ones want an NDK.
libraries_are_packed() { # FOLDER
  local from="$1/stand-in" to="$1/stand-in/packed" abi
  rm -rf "$from"; mkdir -p "$from"
  for abi in "${ANDROID_ABIS[@]}"; do
    mkdir -p "$from/$abi"
    echo 'int one(void) { return 1; }' | cc -x c -shared -nostdlib -Wl,-z,max-page-size="$ANDROID_PAGE" -o "$from/$abi/libsafescan_core.so" -
  done
  pack_libraries "$from" "$to"
  for abi in "${ANDROID_ABIS[@]}"; do cmp "$from/$abi/libsafescan_core.so" "$to/$abi/libsafescan_core.so"; done
  echo 'int one(void) { return 1; }' | cc -x c -shared -nostdlib -Wl,-z,max-page-size=4096 -o "$from/x86_64/libsafescan_core.so" -
  if (pack_libraries "$from" "$to") 2>/dev/null; then die 'a library for small pages was packed'; fi
  rm -rf "$from"
  echo 'ok libraries that Android can load are packed'
}

look_into() { # AAR
  local names wanted abi component classes="$ROOT/target/android/classes.txt" manifest
  wanted='AndroidManifest.xml R.txt classes.jar proguard.txt res/xml/safescan_backup_rules.xml res/xml/safescan_data_extraction_rules.xml'
  for abi in "${ANDROID_ABIS[@]}"; do
    if [ -e "target/android/jni/$abi/libsafescan_core.so" ]; then wanted+=" jni/$abi/libsafescan_core.so"; fi
  done
  names=$(unzip -Z1 "$1" | grep -v '/$' | LC_ALL=C sort)
  [ "$names" = "$(tr ' ' '\n' <<<"$wanted" | LC_ALL=C sort)" ] || die "the AAR holds something else: $names"
  case "$wanted" in
    *jni/*) echo 'ok the AAR holds what an AAR holds, and nothing else' ;;
    *) echo 'ok the AAR holds what an AAR holds, and nothing else'
       echo 'not run: the libraries in the AAR: they are built with an NDK (scripts/build-android)' ;;
  esac

  unzip -p "$1" classes.jar >"$ROOT/target/android/classes.jar"
  unzip -Z1 "$ROOT/target/android/classes.jar" | grep -v '/$' >"$classes"
  if grep -v '^dev/safescan/\(core\|android\)/\|^META-INF/.*\.kotlin_module$' "$classes"; then die 'these are no classes of the package'; fi
  manifest=$(unzip -p "$1" AndroidManifest.xml)
  for component in $(sed -n 's/.*android:name="\(dev\.safescan\.[^"]*\)".*/\1/p' <<<"$manifest"); do
    grep -qx "${component//.//}.class" "$classes" || die "the manifest names $component, which is not in the AAR"
  done
  [ "$(grep -c 'android:name="dev\.safescan\.' <<<"$manifest")" -ge 2 ] || die 'the manifest lost a component'
  grep -q "package=\"$ANDROID_NAMESPACE\"" <<<"$manifest" || die 'the manifest has no namespace'
  grep -q "minSdkVersion=\"$ANDROID_API\"" <<<"$manifest" || die 'the manifest does not say which Android it wants'
  grep -qF '"${applicationId}.safescan-initializer"' <<<"$manifest" || die "two apps' providers would have the same name"
  echo 'ok the manifest fits the classes'
}

# An app names the package alone, and Maven finds what it needs.
resolve() { # FOLDER
  local app="$1/app" names
  rm -rf "$app"; mkdir -p "$app"
  cat >"$app/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId><artifactId>app</artifactId><version>1</version><packaging>pom</packaging>
  <repositories><repository><id>package</id><url>file://$1/repository</url></repository></repositories>
  <dependencies>
    <dependency><groupId>dev.safescan</groupId><artifactId>safescan-android</artifactId><version>$CORE_VERSION</version><type>aar</type></dependency>
  </dependencies>
</project>
POM
  # Maven keeps what it once fetched, and would take an earlier package for this one.
  rm -rf "$HOME/.m2/repository/dev/safescan/safescan-android"
  maven -f "$app/pom.xml" "$DEPENDENCY_PLUGIN:copy-dependencies" -DoutputDirectory="$app/dependencies" -DincludeScope=runtime
  cmp "$app/dependencies/safescan-android-$CORE_VERSION.aar" "$1/safescan-android-$CORE_VERSION.aar" \
    || die "Maven took an earlier package: remove dev/safescan/safescan-android from its local repository"
  names=$(cd "$app/dependencies" && printf '%s\n' * | sed 's/-[0-9][0-9.]*\.\([a-z]*\)$/ \1/' | paste -sd, -)
  [ "$names" = 'annotations jar,jna aar,kotlin-stdlib jar,kotlinx-coroutines-android jar,kotlinx-coroutines-core-jvm jar,safescan-android aar' ] \
    || die "an app gets something else: $names"
  for name in jna:jnaVersion kotlin-stdlib:kotlinVersion kotlinx-coroutines-android:coroutinesVersion; do
    ls "$app/dependencies/${name%:*}-$(gradle_property "${name#*:}")".* >/dev/null
  done
  echo 'ok an app that names the package gets it with what it needs'
  rm -rf "$1/package"; mkdir -p "$1/package"
  unzip -q "$app/dependencies/safescan-android-$CORE_VERSION.aar" -d "$1/package"
}

# As React Native's Gradle plugin does it in an app.
compile_react_native_module() { # FOLDER
  local codegen="$CACHE/npm/codegen-$REACT_NATIVE_CODEGEN"
  need_node
  if [ ! -e "$codegen/node_modules/@react-native/codegen/package.json" ]; then
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$codegen" "@react-native/codegen@$REACT_NATIVE_CODEGEN"
  fi
  rm -rf "$1"; mkdir -p "$1/react-android"
  NODE_PATH="$codegen/node_modules" node android/react-native/generate-spec.cjs "$GENERATED/ship/react-native/turbo-module/NativeSafeScan.ts" "$1/spec"
  maven "$DEPENDENCY_PLUGIN:copy" "-Dartifact=com.facebook.react:react-android:$REACT_NATIVE_CODEGEN:aar:release" "-DoutputDirectory=$1"
  unzip -q "$1/react-android-$REACT_NATIVE_CODEGEN-release.aar" classes.jar -d "$1/react-android"
  maven -f android/react-native/pom.xml compile
  local class
  for class in NativeSafeScanSpec SafeScanModule SafeScanPackage; do
    [ -e "$1/build/classes/dev/safescan/reactnative/$class.class" ] || die "$class was not compiled"
  done
  echo "ok the npm package's Android module compiles for React Native $REACT_NATIVE_CODEGEN"
}

DEPENDENCY_PLUGIN=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
