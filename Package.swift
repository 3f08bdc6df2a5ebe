// swift-tools-version: 6.2
// The maker's side: everything that runs on the machine that builds, tests and inspects Needletail.
// What runs inside the live system is in the package `System/`, which has no dependencies at all.
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "needletail",
    products: [.executable(name: "needletail", targets: ["needletail"])],
    dependencies: [
        .package(path: "System"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // Optimised in debug builds too: it reads gigabytes, and would be a hundred times slower.
        .target(
            name: "ByteScan",
            dependencies: [.product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
        .target(
            name: "Commands",
            dependencies: [
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .target(
            name: "Image",
            dependencies: [
                "Commands",
                .product(name: "Media", package: "System"),
                .product(name: "Walls", package: "System"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .target(
            name: "Testbed",
            dependencies: ["ByteScan", "Commands", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .target(
            name: "Bench",
            dependencies: [
                "Commands", "Image", "Testbed",
                .product(name: "Media", package: "System"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "needletail",
            dependencies: [
                "Bench", "Commands", "Image", "Testbed",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(name: "BenchTests", dependencies: ["Bench"], swiftSettings: strict),
        .testTarget(
            name: "ByteScanTests",
            dependencies: ["ByteScan", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .testTarget(name: "CommandsTests", dependencies: ["Commands"], swiftSettings: strict),
        .testTarget(
            name: "ImageTests", dependencies: ["Commands", "Image", .product(name: "Walls", package: "System")],
            swiftSettings: strict),
        .testTarget(
            name: "SystemTests",
            dependencies: [
                "Commands", "Image", "Testbed", .product(name: "Media", package: "System"),
                .product(name: "Walls", package: "System"),
                .product(name: "SystemPackage", package: "swift-system"),
            ], swiftSettings: strict),
        .testTarget(name: "TestbedTests", dependencies: ["ByteScan", "Image", "Testbed"], swiftSettings: strict),
    ]
)
