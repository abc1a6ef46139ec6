# The Swift package that apps depend on: the XCFramework, and the Swift sources around it. It lives in a repository of its
# own, since SwiftPM wants the manifest at the top and generated sources are not committed here. Sourced after ios.sh.

# write_swift_package FOLDER [URL CHECKSUM]: without a URL, for the XCFramework that lies in target/ios, and with tests for a
# simulator.
write_swift_package() {
  local folder=$1 url=${2:-} checksum=${3:-} generated="${SAFESCAN_BINDINGS:-$GENERATED/ship}/swift/SafeScanCore.swift"
  local binary tests=''
  if [ -n "$url" ]; then
    [[ $url == https://*.zip ]] || die "SwiftPM takes an XCFramework from an https address that ends in .zip, and '$url' is none"
    [[ $checksum =~ ^[0-9a-f]{64}$ ]] || die "'$checksum' is no SHA-256: take what scripts/build-ios printed"
    binary="url: \"$url\", checksum: \"$checksum\""
  else
    [ -d "target/ios/$APPLE_MODULE.xcframework" ] || die "there is no XCFramework in target/ios: run scripts/build-ios"
    binary="path: \"$APPLE_MODULE.xcframework\""
    tests='        .testTarget(name: "DeviceTests", dependencies: ["SafeScanApple", "SafeScanCore"], path: "DeviceTests"),'$'\n'
  fi
  [ -f "$generated" ] || die "there are no generated sources: run scripts/bindings"

  rm -rf "$folder"; mkdir -p "$folder/Sources"
  cp -R bindings/swift/Sources/SafeScanCore "$folder/Sources/"
  # Links to what scripts/bindings made last, whichever that was.
  rm -rf "$folder/Sources/SafeScanCore/Generated"
  cp "$generated" bindings/react-native/ios/PrivacyInfo.xcprivacy "$folder/Sources/SafeScanCore/"
  cp -R ios/Sources/SafeScanAppleCore ios/Sources/SafeScanApple "$folder/Sources/"
  cp LICENSE-MIT LICENSE-APACHE "$folder/"
  cp ios/README.md "$folder/README.md"
  [ -n "$url" ] || cp -R ios/DeviceTests "target/ios/$APPLE_MODULE.xcframework" "$folder/"
  swift_manifest "$binary" "$tests" >"$folder/Package.swift"
}

# swift_manifest BINARY TESTS. No unsafe flags: SwiftPM refuses them in a package that an app depends on.
swift_manifest() {
  cat <<MANIFEST
// swift-tools-version: 6.0
// SafeScan core $(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml): made by scripts/build-ios, not edited here.
import PackageDescription

let package = Package(
    name: "SafeScan",
    platforms: [.iOS(.v${IOS_SINCE%.*}), .macOS(.v${MACOS_SINCE%.*})],
    products: [
        .library(name: "SafeScanApple", targets: ["SafeScanApple"]),
        .library(name: "SafeScanCore", targets: ["SafeScanCore"]),
    ],
    targets: [
        .binaryTarget(name: "$APPLE_MODULE", $1),
        .target(
            name: "SafeScanCore",
            dependencies: ["$APPLE_MODULE"],
            resources: [.process("PrivacyInfo.xcprivacy")],
            // The HTTP client can ask the system's judgement of certificates, which the core never does: still it is linked.
            linkerSettings: [.linkedFramework("CoreFoundation"), .linkedFramework("Security")]
        ),
        .target(name: "SafeScanAppleCore", dependencies: ["SafeScanCore"]),
        .target(name: "SafeScanApple", dependencies: ["SafeScanAppleCore"]),
$2    ],
    swiftLanguageModes: [.v6]
)
MANIFEST
}
