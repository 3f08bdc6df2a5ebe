// SPDX-License-Identifier: GPL-3.0-or-later
import ByteScan

/// One kind of memory that is filled with a marker: how, how often, and with what.
public struct Crop: Sendable, Hashable {
    /// How it is planted; see `Tests/Planter/planter.h`.
    public enum Method: String, Sendable, Hashable, CaseIterable {
        /// Small and large pieces of a process.
        case heap
        /// Deep frames of a process.
        case stack
        /// A mapping of a process.
        case mapping
        /// Shared memory that is locked.
        case locked
        /// A shared segment of System V.
        case systemV = "system-v"
        /// A file that exists only in memory.
        case memoryFile = "memory-file"
        /// A file; of which kind, the path says.
        case file
        /// A file that is deleted and still open.
        case deletedFile = "deleted-file"
        /// Buffers of pipes that nobody reads.
        case pipe
        /// Buffers of sockets within the computer.
        case unixSocket = "unix-socket"
        /// Buffers of connections over the loopback.
        case tcpSocket = "tcp-socket"
        /// Names of abstract sockets.
        case socketName = "socket-name"
        /// Keys in the kernel's keyring.
        case key
        /// A key of the session's user that outlives his processes.
        case persistentKey = "persistent-key"
        /// Messages between programs that nobody took.
        case posixQueue = "posix-queue"
        /// The screen of a console, and what has scrolled off it.
        case terminal
        /// Text that was selected on a console, to be pasted.
        case clipboard
        /// Buffers of terminals within the desktop.
        case pseudoTerminal = "pseudo-terminal"
        /// Arguments of a program.
        case arguments
        /// Variables of a program.
        case environment
        /// The heap of a process that is killed.
        case killed
        /// The heap of a process that is stopped.
        case stopped
        /// The heap of a process that ignores every request to end.
        case stubborn
    }

    /// Bytes of a record: the marker and its number. None lies across two pages.
    public static let recordSize = 64
    /// Bytes of a marker.
    public static let markerSize = recordSize - 8

    /// How it is planted.
    public let method: Method
    /// The kind's name in reports: words with hyphens.
    public let name: String
    /// How many records.
    public let count: Int
    /// Letters and digits by chance, of this crop alone.
    public let marker: String
    /// The file, disk or console; only for methods that have one.
    public let path: String?

    /// A crop with a marker of its own.
    public init(_ method: Method, _ name: String? = nil, count: Int, path: String? = nil) {
        self.init(method, name, count: count, path: path, marker: Self.makeMarker())
    }

    init(_ method: Method, _ name: String?, count: Int, path: String?, marker: String) {
        self.method = method
        self.name = name ?? method.rawValue
        self.count = count
        self.marker = marker
        self.path = path
    }

    /// The line that the planter reads.
    var line: String { "\(method.rawValue) \(name) \(count) \(marker)" + (path.map { " \($0)" } ?? "") }

    /// What is looked for: the marker and any eight bytes of it; on consoles in all their spellings.
    ///
    /// - Throws: `Pattern.Failure` for a marker that cannot be looked for.
    public func patterns() throws -> [Pattern] {
        let plain = try Pattern(
            name, bytes: Array(marker.utf8), leastFragment: Pattern.leastLength, isNumbered: true)
        guard method == .terminal else { return [plain] }
        return [plain] + (try [.cells, .utf32].map { try plain.spelled($0) })
    }

    /// A marker: 56 letters and digits, 333 bits of chance; any eight of them have 47.
    static func makeMarker() -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<markerSize).map { _ in letters[Int.random(in: 0..<62, using: &generator)] })
    }

    /// Every kind of memory that the console system has.
    ///
    /// - Parameters:
    ///   - records: How many records in all, nearly. Each takes 64 bytes.
    ///   - stick: Where a stick's file system is mounted; none when `nil`.
    ///   - vault: Where an encrypted one is; none when `nil`.
    /// - Returns: The crops.
    public static func everyKind(records: Int, stick: String? = nil, vault: String? = nil) -> [Crop] {
        /// Of a thousand records.
        func part(_ share: Int, most: Int = .max) -> Int { min(most, max(64, records / 1000 * share)) }
        var crops = [
            Crop(.killed, count: part(70)),
            Crop(.file, "tmpfs", count: part(220), path: "/tmp/planted"),
            Crop(.file, "overlay-home", count: part(70), path: "/home/user/planted"),
            Crop(.file, "overlay-var", count: part(70), path: "/var/tmp/planted"),
            Crop(.deletedFile, count: part(20), path: "/tmp/planted-deleted"),
            Crop(.heap, count: part(190)),
            Crop(.stack, count: part(120, most: 1_500_000)),
            Crop(.mapping, count: part(100)),
            Crop(.stopped, count: part(40)),
            Crop(.stubborn, count: part(20)),
            Crop(.locked, count: part(10)),
            Crop(.systemV, count: part(20)),
            Crop(.memoryFile, count: part(20)),
            Crop(.pipe, count: part(8, most: 200_000)),
            Crop(.unixSocket, count: part(8, most: 200_000)),
            Crop(.tcpSocket, count: part(4, most: 40_000)),
            Crop(.key, count: part(4, most: 100_000)),
            Crop(.persistentKey, count: part(1, most: 150)),
            Crop(.posixQueue, count: part(2, most: 20_000)),
            Crop(.arguments, count: part(6, most: 60_000)),
            Crop(.environment, count: part(6, most: 60_000)),
            Crop(.socketName, count: part(1, most: 2000)),
            Crop(.pseudoTerminal, count: part(1, most: 2000)),
            Crop(.terminal, count: 400, path: "/dev/tty9"),
            Crop(.clipboard, count: 20, path: "/dev/tty12"),
        ]
        if let stick { crops.append(Crop(.file, "page-cache-of-a-stick", count: part(20), path: "\(stick)/planted")) }
        if let vault {
            crops.append(Crop(.file, "page-cache-of-an-encrypted-disk", count: part(20), path: "\(vault)/planted"))
        }
        return crops
    }
}
