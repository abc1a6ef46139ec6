// swift-tools-version: 6.0
import PackageDescription

// Where Apple's frameworks are not, stand-ins for them let the glue be compiled and tested all the same. They declare what
// is called of the frameworks and no more, and are no part of anything that ships.
#if os(Linux)
    let frameworks = ["BackgroundTasks", "Network", "Security", "UIKit", "os"]
#else
    let frameworks: [String] = []
#endif
// The sample's screen wants SwiftUI; what it shows and does is compiled and tested without.
#if os(Linux)
    let sample = Target.target(
        name: "SafeScanSample",
        dependencies: [.product(name: "SafeScanCore", package: "SafeScanCore")],
        path: "Sample",
        exclude: ["App"],
        // Swift 6.0's library for observation lacks a symbol, which it would call to tell of its own failure.
        linkerSettings: [.unsafeFlags(["-Xlinker", "--allow-shlib-undefined"])]
    )
#else
    let sample = Target.executableTarget(name: "SafeScanSample", dependencies: ["SafeScanApple"], path: "Sample")
#endif
let standIns = frameworks.map { Target.target(name: $0, path: "Tests/StandIns/\($0)") }
let standInTests = frameworks.isEmpty ? [] : [
    Target.testTarget(
        name: "SafeScanAppleTests",
        dependencies: ["SafeScanApple"] + frameworks.map { .target(name: $0) }
    )
]

let package = Package(
    name: "SafeScanApple",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "SafeScanApple", targets: ["SafeScanApple"])],
    dependencies: [.package(name: "SafeScanCore", path: "../bindings/swift")],
    targets: [
        // Decides; knows none of Apple's frameworks, so that it is compiled and tested wherever Swift is.
        .target(
            name: "SafeScanAppleCore",
            dependencies: [.product(name: "SafeScanCore", package: "SafeScanCore")]
        ),
        // Asks and tells the frameworks.
        .target(
            name: "SafeScanApple",
            dependencies: ["SafeScanAppleCore"] + frameworks.map { .target(name: $0) }
        ),
        sample,
        .testTarget(name: "SafeScanAppleCoreTests", dependencies: ["SafeScanAppleCore"]),
        .testTarget(name: "SafeScanSampleTests", dependencies: ["SafeScanSample"]),
    ] + standIns + standInTests,
    swiftLanguageModes: [.v6]
)
