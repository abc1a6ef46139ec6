// swift-tools-version: 6.0
import PackageDescription

// The folder with the generated sources and the native library, relative to the checkout's top; `./prepare` links it.
let folder = Context.environment["SAFESCAN_BINDINGS"] ?? "target/bindings/ship"
let bindings = folder.hasPrefix("/") ? folder : "\(Context.packageDirectory)/../../\(folder)"
let kind = bindings.split(separator: "/").last ?? ""
let strict: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"])]

let package = Package(
    name: "SafeScanCore",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "SafeScanCore", targets: ["SafeScanCore"])],
    targets: [
        .systemLibrary(name: "SafeScanCoreFFI", path: "Sources/SafeScanCoreFFI/\(kind)"),
        .target(
            name: "SafeScanCore",
            dependencies: ["SafeScanCoreFFI"],
            sources: ["Layer", "Generated/\(kind).swift"],
            swiftSettings: strict,
            linkerSettings: [
                .linkedLibrary("safescan_core"),
                // The search path at run time lets tests and examples start without further ado.
                .unsafeFlags(["-L\(bindings)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(bindings)/lib"]),
            ]
        ),
        .target(name: "Articles", dependencies: ["SafeScanCore"], swiftSettings: strict),
        .executableTarget(name: "Quickstart", dependencies: ["SafeScanCore"], swiftSettings: strict),
        .executableTarget(name: "DemoPhone", dependencies: ["SafeScanCore"], swiftSettings: strict),
        .executableTarget(name: "Measure", dependencies: ["SafeScanCore"], swiftSettings: strict),
        .testTarget(
            name: "SafeScanCoreTests",
            dependencies: ["SafeScanCore", "Articles", "Quickstart", "DemoPhone"],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
