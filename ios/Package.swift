// swift-tools-version: 6.0
import PackageDescription

// Where Apple's frameworks are not, stand-ins for them let the glue be compiled and tested all the same. They declare what
// is called of the frameworks and no more, and are no part of anything that ships.
#if os(Linux)
    let frameworks = ["BackgroundTasks", "Network", "Security", "UIKit", "os"]
#else
    let frameworks: [String] = []
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
        .testTarget(name: "SafeScanAppleCoreTests", dependencies: ["SafeScanAppleCore"]),
    ] + standIns + standInTests,
    swiftLanguageModes: [.v6]
)
