// swift-tools-version: 6.2
// Fuzzing (libFuzzer) of what reads hostile input in the live system. A package of its own, so that other builds stay quick.
// `make fuzz` runs every target; README.md says how to add one.
import PackageDescription

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6), .unsafeFlags(["-parse-as-library"])]

/// One line per target: its name is the name of its folder in Sources/ and of its seeds in ../System/Tests/Corpus/.
let targets: [(name: String, library: String)] = [
    ("ControlParserFuzz", "TorControl"),
    ("ControlFilterFuzz", "ControlFilter"),
    ("BridgeParserFuzz", "Connection"),
    ("VarlinkServiceFuzz", "Varlink"),
    ("ClockFuzz", "Clock"),
]

let package = Package(
    name: "Fuzz",
    dependencies: [.package(path: "../System")],
    targets: [.target(name: "FuzzDriver", swiftSettings: settings)]
        + targets.map { target in
            .executableTarget(
                name: target.name,
                dependencies: ["FuzzDriver", .product(name: target.library, package: "System")], swiftSettings: settings
            )
        }
)
