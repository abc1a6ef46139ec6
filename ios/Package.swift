// swift-tools-version: 6.0
import PackageDescription

let strict: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"])]

let package = Package(
    name: "SafeScanApple",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "SafeScanApple", targets: ["SafeScanApple"])],
    dependencies: [.package(name: "SafeScanCore", path: "../bindings/swift")],
    targets: [
        // Decides; knows none of Apple's frameworks, so that it is compiled and tested wherever Swift is.
        .target(
            name: "SafeScanAppleCore",
            dependencies: [.product(name: "SafeScanCore", package: "SafeScanCore")],
            swiftSettings: strict
        ),
        .target(name: "SafeScanApple", dependencies: ["SafeScanAppleCore"], swiftSettings: strict),
        .testTarget(name: "SafeScanAppleCoreTests", dependencies: ["SafeScanAppleCore"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
