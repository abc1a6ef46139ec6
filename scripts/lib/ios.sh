# What Apple's systems need to know about a native library. Sourced after common.sh.
IOS_SINCE=15.0 MACOS_SINCE=12.0 # as in bindings/swift/Package.swift
# The module that the generated Swift imports. Xcode lays the headers of all XCFrameworks of an app into one folder, so ours
# are in a folder of their own; Clang looks for a module in one that has exactly its name.
APPLE_MODULE=SafeScanCoreFFI
APPLE_SLICES=(ios ios-simulator macos)

# lay_headers BINDINGS FOLDER: as they lie in the XCFramework. The module is a plain one, no framework's: ours is a library.
lay_headers() { mkdir -p "$2/$APPLE_MODULE"; cp "$1/swift/FFI/$APPLE_MODULE.h" "$1/swift/FFI/module.modulemap" "$2/$APPLE_MODULE/"; }

# What Xcode calls an SDK and a system, and a pair of Rust's and Clang's names for each processor.
apple_sdk() { case $1 in ios) echo iphoneos ;; ios-simulator) echo iphonesimulator ;; macos) echo macosx ;; esac; }
apple_targets() {
  case $1 in
    ios) echo "aarch64-apple-ios:arm64-apple-ios$IOS_SINCE" ;;
    ios-simulator) echo "aarch64-apple-ios-sim:arm64-apple-ios$IOS_SINCE-simulator x86_64-apple-ios:x86_64-apple-ios$IOS_SINCE-simulator" ;;
    macos) echo "aarch64-apple-darwin:arm64-apple-macos$MACOS_SINCE x86_64-apple-darwin:x86_64-apple-macos$MACOS_SINCE" ;;
  esac
}

# Xcode's nm is LLVM's. It is older than Rust's LLVM and stumbles over the bitcode that parts of Rust's library carry.
if [ "$(uname -s)" = Darwin ]; then NM=(xcrun nm --no-llvm-bc); else NM=(nm); fi

# public_symbols FILE: what an object file, or a library of one processor, defines for everybody; without C's underscore.
# What is hidden counts as well: among the objects of an app it is as visible as the rest.
public_symbols() {
  "${NM[@]}" -g "$1" 2>/dev/null | awk 'NF == 3 && $2 ~ /^[A-TV-Z]$/ { sub(/^_/, "", $3); print $3 }' | sort -u
}

# declared_functions HEADER: what the generated code of every language calls.
declared_functions() { grep -oE '(uni)?ffi_safescan_core_[a-z0-9_]+\(' "$1" | tr -d '(' | sort -u; }

# public_names LIBRARY HEADER: what may stay public of the library. Rust's personality function is no part of the interface,
# but Apple's linker does not find one that is private to an object: https://alanwu.space/post/symbol-hygiene
public_names() { declared_functions "$2"; public_symbols "$1" | grep 'rust_eh_personality$' || true; }

# check_private_symbols FILE HEADER: the functions of the header are public, and nothing else is. Above all not SQLite: an
# app that links its own would get calls of one answered by the other, which has another version and other options.
check_private_symbols() {
  local file=$1 header=$2 public foreign missing
  public=$(public_symbols "$file" || true)
  [ -n "$public" ] || die "$file is no object file that nm can read, or one that defines nothing"
  foreign=$(comm -23 <(echo "$public") <(public_names "$file" "$header" | sort -u) | sed -n 1,3p | paste -sd ' ' -)
  [ -z "$foreign" ] || die "$file makes public what must be private: $foreign …"
  missing=$(comm -13 <(echo "$public") <(declared_functions "$header") | sed -n 1,3p | paste -sd ' ' -)
  [ -z "$missing" ] || die "$file does not have what $(basename "$header") declares: $missing …"
}
