// swift-tools-version: 6.2
// The guest's side: what runs inside the live system. No dependency outside this folder, so that it compiles in the
// sealed build root, and so that an auditor has everything in one place.
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "System",
    products: [
        .library(name: "Media", targets: ["Media"]),
        .executable(name: "needletail-init", targets: ["needletail-init"]),
    ],
    targets: [
        // The few system calls and constants that Glibc's module map does not import.
        .target(name: "CLinux"),
        // Typed system calls: the only target that imports Glibc.
        .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: strict),
        // What is written on a medium, shared by the builder that writes it and the boot stage that reads it.
        .target(name: "Media", swiftSettings: strict),
        .target(name: "BootStage", dependencies: ["Linux", "Media"], swiftSettings: strict),
        .executableTarget(name: "needletail-init", dependencies: ["BootStage", "Linux"], swiftSettings: strict),
        .testTarget(name: "LinuxTests", dependencies: ["Linux"], swiftSettings: strict),
        .testTarget(name: "MediaTests", dependencies: ["Media"], swiftSettings: strict),
        .testTarget(name: "BootStageTests", dependencies: ["BootStage"], swiftSettings: strict),
    ]
)
