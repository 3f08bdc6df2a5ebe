// SPDX-License-Identifier: GPL-3.0-or-later

/// What can be measured by itself.
public enum Part: String, Sendable, Codable, CaseIterable {
    /// The start, against Debian's live-boot.
    case boot
    /// The end, against stock Debian, and against our own system without our boot stage.
    case end
    /// The making of the image, against Debian's live-build.
    case build
    /// The image's size, against live-build's.
    case size
    /// The least memory that reaches Tor.
    case memory
    /// Ways to pack the system.
    case filesystem
    /// Tor behind the walls, against a bare one.
    case tor

    /// The heading.
    public var title: String {
        switch self {
        case .boot: "Start"
        case .end: "End"
        case .build: "Build"
        case .size: "Size"
        case .memory: "Memory"
        case .filesystem: "File system"
        case .tor: "Tor"
        }
    }
}

/// A quantity's unit.
public enum Unit: String, Sendable, Codable {
    /// Seconds.
    case seconds = "s"
    /// Millions of bytes.
    case megabytes = "MB"
    /// 1,048,576 bytes.
    case mebibytes = "MiB"
    /// Thousandths of a second.
    case milliseconds = "ms"
    /// Millions of bytes in a second.
    case megabytesPerSecond = "MB/s"
    /// Seconds for each 1,073,741,824 bytes.
    case secondsPerGibibyte = "s/GiB"
}

/// What a figure is to reach.
public enum Target: Sendable, Codable, Equatable {
    /// At most this part of the reference's median.
    case ratio(Double)
    /// At least this part of the reference's median.
    case ratioAtLeast(Double)
    /// At most this much, in the figure's unit.
    case value(Double)
}

/// A measured quantity beside what it is compared with.
public struct Figure: Sendable, Codable, Equatable {
    /// What was measured.
    public var name: String
    /// The unit of all values.
    public var unit: Unit
    /// Needletail's.
    public var ours: Series
    /// What it is compared with.
    public var reference: Series?
    /// What is to be reached; nothing when `nil`.
    public var target: Target?

    /// Puts a figure together.
    public init(_ name: String, _ unit: Unit, ours: Series, reference: Series? = nil, target: Target? = nil) {
        self.name = name
        self.unit = unit
        self.ours = ours
        self.reference = reference
        self.target = target
    }

    /// Our median as a part of the reference's; `nil` for a growth, which may be none or less.
    public var ratio: Double? { unit == .secondsPerGibibyte ? nil : reference.flatMap { ours.ratio(to: $0) } }

    /// Whether the target is reached; `nil` where there is none. What was not measured is not reached.
    public var isReached: Bool? {
        switch target {
        case .none: nil
        case .ratio(let limit): ratio.map { $0 <= limit } ?? false
        case .ratioAtLeast(let limit): ratio.map { $0 >= limit } ?? false
        case .value(let limit): ours.median.map { $0 <= limit } ?? false
        }
    }
}

/// On what was measured.
public struct Setting: Sendable, Codable, Equatable {
    /// The day, as 2031-05-06.
    public var date: String
    /// Needletail's commit.
    public var commit: String
    /// The maker's machine: processor, cores, memory.
    public var machine: String
    /// The maker's kernel.
    public var hostKernel: String
    /// QEMU's version and how it emulates.
    public var emulator: String
    /// The kernel of the image.
    public var guestKernel: String
    /// The compiler.
    public var compiler: String
    /// The load of the machine (over one minute) when the measurement began.
    public var load: Double
}

/// A way to pack the system, measured.
public struct PackingFigures: Sendable, Codable, Equatable {
    /// For people.
    public var name: String
    /// The tool's options.
    public var options: [String]
    /// Whether it is the one that is shipped.
    public var isShipped: Bool
    /// The file system in MB, without its hash tree.
    public var size: Double
    /// Seconds to pack it.
    public var packing: Double
    /// Whether packing it twice gave the same bits; `nil` when it was packed once.
    public var isReproducible: Bool?
    /// Seconds from the kernel's start to systemd.
    public var systemd: Series
    /// Seconds from the kernel's start to the default target.
    public var defaultTarget: Series
    /// MB that were read from the stick until then.
    public var read: Series
    /// Seconds to read 1000 blocks of 4 KiB at places by chance, nothing cached.
    public var random: Series
    /// Seconds to read all programs and libraries, nothing cached.
    public var sequential: Series
    /// MiB of memory that are available after the start.
    public var available: Series
}

/// The phases of a start or an end: name, and the seconds since its beginning at which each run got there.
public struct PhaseFigures: Sendable, Codable, Equatable {
    /// The phase that begins.
    public var name: String
    /// When.
    public var seconds: Series
}

/// What was measured of a part.
public struct PartReport: Sendable, Codable, Equatable {
    /// Which part.
    public var part: Part
    /// On what.
    public var setting: Setting
    /// How it was measured, a paragraph each.
    public var method: [String]
    /// The figures with their targets.
    public var figures: [Figure] = []
    /// The phases of our start or our end.
    public var phases: [PhaseFigures] = []
    /// The ways of packing.
    public var packings: [PackingFigures] = []
    /// What has to be known to read the figures.
    public var notes: [String] = []

    /// A report without figures yet.
    public init(_ part: Part, setting: Setting, method: [String]) {
        self.part = part
        self.setting = setting
        self.method = method
    }
}
