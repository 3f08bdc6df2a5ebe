// swift-tools-version: 6.2
// The guest's side: what runs inside the live system. No dependency outside this folder, so that it compiles in the
// sealed build root, and so that an auditor has everything in one place.
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "System",
    products: [
        .library(name: "Media", targets: ["Media"]),
        .library(name: "Walls", targets: ["Walls"]),
        // For fuzzing.
        .library(name: "TorControl", targets: ["TorControl"]),
        .library(name: "ControlFilter", targets: ["ControlFilter"]),
        .library(name: "Connection", targets: ["Connection"]),
        .library(name: "Varlink", targets: ["Varlink"]),
        .library(name: "Clock", targets: ["Clock"]),
        .executable(name: "needletail-init", targets: ["needletail-init"]),
    ],
    targets: [
        // The few system calls and constants that Glibc's module map does not import.
        .target(name: "CLinux"),
        // Typed system calls: the only target that imports Glibc.
        .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: strict),
        // What is written on a medium, shared by the builder that writes it and the boot stage that reads it.
        .target(name: "Media", swiftSettings: strict),
        // The namespaces, links, addresses and ports of the two walls: one table for builder, boot stage and services.
        .target(name: "Walls", swiftSettings: strict),
        // Which disks there are, and which of them nobody writes to: for the boot stage, and for what appears later.
        .target(name: "Disks", dependencies: ["Linux"], swiftSettings: strict),
        .executableTarget(name: "needletail-disk", dependencies: ["Disks", "Linux"], swiftSettings: strict),
        .target(
            name: "BootStage", dependencies: ["Disks", "Emergency", "Linux", "Media", "Walls"], swiftSettings: strict),
        // The end of a session: nothing is left in memory.
        .target(name: "Amnesia", dependencies: ["Linux"], swiftSettings: strict),
        // What happens when the boot medium is pulled out, or the user presses the panic key.
        .target(name: "Emergency", dependencies: ["Linux"], swiftSettings: strict),
        .executableTarget(
            name: "needletail-init", dependencies: ["Amnesia", "BootStage", "Emergency", "Linux"],
            swiftSettings: strict),

        // Stream sockets of the Unix domain for asynchronous code.
        .target(name: "Sockets", dependencies: ["CLinux", "Linux"], swiftSettings: strict),
        // Typed messages between programs (varlink.org).
        .target(name: "Varlink", dependencies: ["Linux", "Sockets"], swiftSettings: strict),
        // Tor's control protocol.
        .target(name: "TorControl", dependencies: ["Linux", "Sockets"], swiftSettings: strict),
        // What each program may ask of Tor.
        .target(name: "ControlFilter", dependencies: ["Linux", "Sockets", "TorControl"], swiftSettings: strict),
        .executableTarget(
            name: "needletail-control-filter", dependencies: ["ControlFilter", "Linux"], swiftSettings: strict),
        // What Tor does, for the user's eyes.
        .target(name: "Status", dependencies: ["Linux", "Sockets", "TorControl", "Varlink"], swiftSettings: strict),
        // How this computer connects to Tor, and what is wrong when it does not.
        .target(
            name: "Connection", dependencies: ["Linux", "Sockets", "TorControl", "Varlink", "Walls"],
            swiftSettings: strict),
        .executableTarget(name: "needletail-connection", dependencies: ["Connection", "Linux"], swiftSettings: strict),
        // The right time without a time protocol.
        .target(
            name: "Clock", dependencies: ["Linux", "Sockets", "TorControl", "Varlink", "Walls"], swiftSettings: strict),
        .executableTarget(
            name: "needletail-clock", dependencies: ["Clock", "Linux", "Sockets", "Varlink"], swiftSettings: strict),
        // Random hardware addresses.
        .target(name: "HardwareAddress", dependencies: ["Linux"], swiftSettings: strict),
        .executableTarget(name: "needletail-mac", dependencies: ["HardwareAddress", "Linux"], swiftSettings: strict),
        // The root of a user namespace, for who has chosen a password.
        .target(name: "CPassword", linkerSettings: [.linkedLibrary("crypt")]),
        .target(
            name: "Administration", dependencies: ["CPassword", "Linux", "Sockets", "Varlink"], swiftSettings: strict),
        .executableTarget(
            name: "needletail-administration", dependencies: ["Administration", "Linux"], swiftSettings: strict),
        // The computer's disks for the user: which there are, to read one, and to write to one after the password.
        .target(
            name: "DiskService", dependencies: ["Administration", "Disks", "Linux", "Sockets", "Varlink"],
            swiftSettings: strict),
        .executableTarget(name: "needletail-disks", dependencies: ["DiskService", "Linux"], swiftSettings: strict),
        // Locking the screen, the lid, and sleep.
        .target(
            name: "Suspend", dependencies: ["Administration", "Linux", "Sockets", "Varlink"], swiftSettings: strict),
        .executableTarget(name: "needletail-suspend", dependencies: ["Linux", "Suspend"], swiftSettings: strict),
        // What the network says of itself: the router and the name servers.
        .target(name: "Uplink", dependencies: ["Linux", "Walls"], swiftSettings: strict),
        // The way of Tor's transports over UDP through the firewall.
        .target(name: "Transports", dependencies: ["Linux", "Uplink", "Walls"], swiftSettings: strict),
        .executableTarget(name: "needletail-transports", dependencies: ["Linux", "Transports"], swiftSettings: strict),
        // A browser in clear for the login page of a network, after the user has agreed.
        .target(
            name: "Portal", dependencies: ["Linux", "Sockets", "Uplink", "Varlink", "Walls"], swiftSettings: strict),
        .executableTarget(name: "needletail-portal", dependencies: ["Linux", "Portal"], swiftSettings: strict),
        // The commands of the session: one program under several names (needletail-status, needletail-connect …).
        .executableTarget(
            name: "needletail-session",
            dependencies: [
                "Administration", "Connection", "DiskService", "Emergency", "Linux", "Portal", "Status", "Suspend",
            ],
            swiftSettings: strict),

        .testTarget(name: "LinuxTests", dependencies: ["CLinux", "Linux"], swiftSettings: strict),
        .testTarget(name: "MediaTests", dependencies: ["Media"], swiftSettings: strict),
        .testTarget(name: "WallsTests", dependencies: ["Linux", "Walls"], swiftSettings: strict),
        .testTarget(
            name: "BootStageTests", dependencies: ["BootStage", "Disks", "Linux", "Walls"], swiftSettings: strict),
        .testTarget(name: "AmnesiaTests", dependencies: ["Amnesia", "BootStage", "Linux"], swiftSettings: strict),
        // Counts what a thread allocates.
        .target(name: "CAllocations", path: "Tests/CAllocations"),
        // The emergency program with an observer in the place of the wipe, for a run in namespaces.
        .executableTarget(
            name: "emergency-observed", dependencies: ["Emergency", "Linux"], path: "Tests/EmergencyObserved",
            swiftSettings: strict),
        .testTarget(
            name: "EmergencyTests", dependencies: ["CAllocations", "Emergency", "Linux", "emergency-observed"],
            swiftSettings: strict),
        .testTarget(
            name: "DiskServiceTests", dependencies: ["DiskService", "Disks", "Linux", "Sockets", "Varlink"],
            swiftSettings: strict),
        .testTarget(name: "DisksTests", dependencies: ["Disks", "Linux"], swiftSettings: strict),
        .testTarget(name: "SocketsTests", dependencies: ["Linux", "Sockets"], swiftSettings: strict),
        .testTarget(name: "VarlinkTests", dependencies: ["Linux", "Sockets", "Varlink"], swiftSettings: strict),
        .testTarget(name: "TorControlTests", dependencies: ["Linux", "Sockets", "TorControl"], swiftSettings: strict),
        .testTarget(
            name: "ControlFilterTests", dependencies: ["ControlFilter", "Linux", "Sockets", "TorControl"],
            swiftSettings: strict),
        .testTarget(
            name: "StatusTests", dependencies: ["Linux", "Sockets", "Status", "TorControl"], swiftSettings: strict),
        .testTarget(
            name: "ConnectionTests", dependencies: ["Connection", "Linux", "Sockets", "TorControl", "Varlink"],
            swiftSettings: strict),
        .testTarget(
            name: "ClockTests", dependencies: ["Clock", "Linux", "TorControl", "Varlink"], swiftSettings: strict),
        .testTarget(name: "HardwareAddressTests", dependencies: ["HardwareAddress"], swiftSettings: strict),
        .testTarget(
            name: "AdministrationTests", dependencies: ["Administration", "Linux", "Sockets", "Varlink"],
            swiftSettings: strict),
        .testTarget(
            name: "PortalTests", dependencies: ["Linux", "Portal", "Uplink", "Varlink"], swiftSettings: strict),
        .testTarget(
            name: "TransportsTests", dependencies: ["Linux", "Transports", "Uplink", "Walls"], swiftSettings: strict),
        .testTarget(
            name: "SuspendTests", dependencies: ["Administration", "Linux", "Sockets", "Suspend", "Varlink"],
            swiftSettings: strict),
        .testTarget(name: "UplinkTests", dependencies: ["Linux", "Uplink"], swiftSettings: strict),
    ]
)
