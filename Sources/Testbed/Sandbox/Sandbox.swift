// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Synchronization
import SystemPackage

/// A sealed set of namespaces in which everything of a test runs: machines, relays, servers and clients.
///
/// It has network, mount and PID namespaces of its own (and a user namespace, when the caller is not root). By construction
/// it holds no interface but loopback and what is made inside it, so nothing in it can reach the real network; `/run` is
/// empty in it, so that no service of the host (a resolver, a D-Bus daemon) can be asked to do so either. The rest of the
/// file system is the host's: files and UNIX sockets in `work` are the same inside and outside, at the same path.
///
/// The first process inside reads a pipe whose other end only the owner holds. When the owner closes the sandbox, ends or
/// crashes (SIGKILL included), the pipe ends, that process ends, and the kernel then kills all others and removes the
/// namespaces: nothing is left to clean up. See pid_namespaces(7).
public final class Sandbox: Sendable {
    /// The folder for logs, sockets and data.
    public let work: FilePath
    private let first: FirstProcess
    private let grip: Mutex<Grip?>

    /// Makes a sandbox.
    ///
    /// - Parameter work: A folder for its logs, sockets and data, made when it is missing; not under `/run` or `/proc`.
    ///   One sandbox at a time uses a folder. What runs inside can be found there by its UNIX sockets, whose paths the kernel
    ///   limits to 107 bytes: choose a short one.
    /// - Returns: The sandbox, open, with a loopback interface and nothing else.
    /// - Throws: `SandboxFailure`, or `CommandFailure` when `unshare` is missing or not allowed.
    public static func open(work: FilePath) async throws -> Sandbox {
        let folder = try prepare(work)
        let lock = try take(folder)
        let mark = folder.appending("sandbox.pid")
        try? FileManager.default.removeItem(atPath: mark.string)
        // Closed on exec: nobody but the owner ever holds the writing end.
        let pipe = try FileDescriptor.pipe(options: .closeOnExec)
        let first = FirstProcess(mark: mark, log: folder.appending("sandbox.log"), pipe: pipe.readEnd)
        var grip = Grip(lock: lock, pipe: pipe.writeEnd, namespaces: [])
        do {
            try grip.hold(await first.number())
            try pipe.readEnd.close()
        } catch {
            grip.release()
            await first.stop()
            try? pipe.readEnd.close()
            throw error
        }
        return Sandbox(work: folder, first: first, grip: grip)
    }

    private init(work: FilePath, first: FirstProcess, grip: Grip) {
        self.work = work
        self.first = first
        self.grip = Mutex(grip)
    }

    deinit { grip.withLock { $0?.release() } }

    /// Whether the sandbox can still be used.
    public var isOpen: Bool { grip.withLock { $0 != nil } && !first.hasEnded }

    /// A command that will run inside the sandbox.
    ///
    /// Its arguments are handed over as they are. It runs under `timeout`, which hands on SIGTERM and waits, so that stopping a
    /// `BackgroundCommand` ends the program itself and not only the tool that entered the namespaces; and it dies with its
    /// starter. A command made from a closed sandbox fails: it never runs outside.
    ///
    /// - Parameters:
    ///   - executable: The program: a path, or a name that is looked up in `PATH`.
    ///   - arguments: Its arguments.
    ///   - namespace: The network namespace inside the sandbox, made by `addNamespace`; the sandbox's own when `nil`.
    ///   - environment: Variables added to the fixed environment of `Command`.
    /// - Returns: The command, which does not run yet.
    public func command(
        _ executable: String, _ arguments: [String] = [], in namespace: String? = nil,
        environment: [String: String] = [:]
    ) -> Command {
        // A closed sandbox has no descriptors: the paths do not exist then, and nsenter(1) ends before it runs anything.
        let paths = grip.withLock { $0?.paths } ?? ["--net=/proc/self/fd/closed"]
        var words = paths + ["--no-fork"]
        if geteuid() != 0 { words.append("--preserve-credentials") }
        words.append("--")
        if let namespace { words += ["nsenter", "--net=/run/netns/\(namespace)", "--"] }
        words += ["timeout", "0", "setpriv", "--pdeathsig", "KILL", "--", executable]
        return Command("nsenter", words + arguments, environment: environment, workingDirectory: work)
    }

    /// Starts a program inside that runs until it ends or is stopped.
    ///
    /// - Parameters:
    ///   - name: Names its log, `<name>.log` in the work folder; an older log of that name is replaced.
    ///   - executable: As for `command`.
    ///   - arguments: As for `command`.
    ///   - namespace: As for `command`.
    /// - Returns: The running program.
    public func start(
        _ name: String, _ executable: String, _ arguments: [String] = [], in namespace: String? = nil
    ) -> BackgroundCommand {
        let log = work.appending("\(name).log")
        try? FileManager.default.removeItem(atPath: log.string)
        return BackgroundCommand(command(executable, arguments, in: namespace), log: log)
    }

    /// Adds a network namespace inside the sandbox, with nothing but its loopback.
    ///
    /// - Parameter name: Letters, digits and hyphens; it names the namespace for `ip` inside the sandbox too.
    /// - Throws: `SandboxFailure` for a name that is not of this form, `CommandFailure`.
    public func addNamespace(_ name: String) async throws {
        guard !name.isEmpty, name.utf8.count <= 64,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }), name.first != "-"
        else {
            throw SandboxFailure(
                .badName, "“\(name)” cannot name a network namespace. Use up to 64 letters, digits and hyphens.")
        }
        // ip netns add NAME && ip -n NAME link set lo up
        _ = try await command("ip", ["netns", "add", name]).output()
        _ = try await command("ip", ["link", "set", "lo", "up"], in: name).output()
    }

    /// Ends every process in the sandbox and removes its namespaces; the work folder stays. Done twice, it does nothing.
    public func close() async {
        grip.withLock { grip in
            grip?.release()
            grip = nil
        }
        await first.end()
    }

    private static func prepare(_ work: FilePath) throws -> FilePath {
        let path = URL(fileURLWithPath: work.string).standardizedFileURL.resolvingSymlinksInPath().path
        let folder = FilePath(path)
        // Inside, these are not the host's: what is under them would not be the same inside and outside.
        for covered: FilePath in ["/run", "/proc"] where folder.starts(with: covered) {
            throw SandboxFailure(
                .badFolder,
                "The folder \(folder) cannot be a sandbox's: \(covered) is not shared with it. Choose another.")
        }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return folder
    }

    private static func take(_ folder: FilePath) throws -> FileDescriptor {
        let lock = try FileDescriptor.open(
            folder.appending("sandbox.lock"), .readWrite, options: [.create, .closeOnExec], permissions: .ownerReadWrite
        )
        // See: 'man 2 flock'. The kernel lets go of the lock when its owner dies.
        guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            try? lock.close()
            throw SandboxFailure(
                .busy, "The folder \(folder) is in use by another sandbox. End that one, or choose another folder.")
        }
        return lock
    }
}

extension Sandbox {
    /// What the owner holds: while it lives, the sandbox does; the kernel lets go of all of it when the owner dies.
    struct Grip {
        var lock: FileDescriptor
        var pipe: FileDescriptor
        /// Open namespaces of the first process. They are entered through these and not by its process number, which
        /// could by then be another process's: a command would run in the host's network.
        var namespaces: [(option: String, descriptor: FileDescriptor)]

        var paths: [String] {
            namespaces.map { "--\($0.option)=/proc/\(getpid())/fd/\($0.descriptor.rawValue)" }
        }

        mutating func hold(_ process: Int) throws {
            for (option, file) in [("user", "user"), ("mount", "mnt"), ("net", "net"), ("pid", "pid")] {
                if option == "user", geteuid() == 0 { continue }
                let path = FilePath("/proc/\(process)/ns/\(file)")
                namespaces.append((option, try FileDescriptor.open(path, .readOnly, options: .closeOnExec)))
            }
        }

        mutating func release() {
            try? pipe.close()
            for namespace in namespaces { try? namespace.descriptor.close() }
            try? lock.close()
        }
    }
}
