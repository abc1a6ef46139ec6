# What Android needs to know about a native library, and what the Android package is made of. Sourced after common.sh.
gradle_property() { sed -n "s/^$1=//p" "$ROOT/android/gradle.properties"; }

ANDROID_NAMESPACE=dev.safescan.android
ANDROID_API=$(gradle_property minSdk) # of React Native 0.76 and newer as well
CORE_VERSION=$(sed -n 's/^version *= *"\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -n 1)
read -ra ANDROID_ABIS < <(gradle_property abis)
ANDROID_PAGE=16384 # devices with pages of 16 KiB load nothing that is aligned to less

# android_target ABI: Rust's name of it.
android_target() {
  case $1 in
    arm64-v8a) echo aarch64-linux-android ;;
    armeabi-v7a) echo armv7-linux-androideabi ;;
    x86_64) echo x86_64-linux-android ;;
  esac
}

# check_pages LIBRARY [READELF]: every segment that is loaded is aligned to Android's largest pages.
check_pages() {
  local library=$1 readelf=${2:-readelf} alignments alignment
  alignments=$("$readelf" -lW "$library" 2>/dev/null | awk '$1 == "LOAD" { print $NF }') || true
  [ -n "$alignments" ] || die "$library is no library that could be loaded"
  for alignment in $alignments; do
    [ $((alignment)) -ge "$ANDROID_PAGE" ] || die "$library has a segment aligned to $((alignment)) bytes: Android wants $ANDROID_PAGE"
  done
}

# pack_libraries FROM TO: those libraries for devices that have been built, if Android can load them.
pack_libraries() {
  local abi library
  for abi in "${ANDROID_ABIS[@]}"; do
    library="$1/$abi/libsafescan_core.so"
    if [ ! -e "$library" ]; then continue; fi
    check_pages "$library"
    mkdir -p "$2/$abi"; cp "$library" "$2/$abi/"
  done
}

# Without colours, whose end would begin the next line.
maven() { mvn --batch-mode --no-transfer-progress --quiet "$@" 2>&1 | sed 's/\x1b\[[0-9;]*m//g'; }
