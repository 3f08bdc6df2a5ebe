// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import SystemPackage

/// A folder with a minimal system of the image's own suite, in which the guest's programs are compiled and the image
/// tools run, so that the machine's own distribution does not matter.
///
/// Tools run inside through bubblewrap: the root is read-only, there is no network, and what a tool may see of the machine
/// is what its binds name. All binds lie below `/mnt`, at paths that are the same on every machine, so that no path of the
/// machine can end up in an image.
public struct BuildRoot: Sendable {
    /// Something of the machine that a tool sees inside.
    public struct Bind: Sendable {
        /// The file or folder on the machine.
        public let source: FilePath
        /// Its path inside, below `/mnt`.
        public let target: String
        /// Whether the tool may change it.
        public let isWritable: Bool

        /// A bind that the tool may only read.
        public static func reading(_ source: FilePath, at target: String) -> Bind {
            Bind(source: source, target: target, isWritable: false)
        }

        /// A bind that the tool may change.
        public static func writing(_ source: FilePath, at target: String) -> Bind {
            Bind(source: source, target: target, isWritable: true)
        }
    }

    /// The folder on the machine.
    public let root: FilePath
    /// Seconds since 1970 that tools take for the present (`SOURCE_DATE_EPOCH`).
    public let epoch: Int

    /// Takes an existing folder as build root.
    public init(root: FilePath, epoch: Int) {
        self.root = root
        self.epoch = epoch
    }

    /// A command that runs inside the build root.
    ///
    /// - Parameters:
    ///   - executable: A name or path inside.
    ///   - arguments: Its arguments; paths in them are paths inside.
    ///   - binds: What of the machine it sees.
    ///   - workingDirectory: The folder in which it starts, inside.
    ///   - environment: Variables added to the fixed ones.
    /// - Returns: The command, which does not run yet.
    public func command(
        _ executable: String, _ arguments: [String], binds: [Bind] = [], workingDirectory: String = "/",
        environment: [String: String] = [:]
    ) -> Command {
        var words = [
            "--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", "build", "--unshare-pid",
            "--die-with-parent", "--new-session",
            "--ro-bind", root.string, "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/mnt",
        ]
        for bind in binds {
            words += [bind.isWritable ? "--bind" : "--ro-bind", bind.source.string, bind.target]
        }
        var variables = [
            "PATH": "/usr/sbin:/usr/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "SOURCE_DATE_EPOCH": String(epoch),
        ]
        variables.merge(environment) { _, given in given }
        words.append("--clearenv")
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            words += ["--setenv", name, value]
        }
        words += ["--chdir", workingDirectory, "--", executable]
        return Command("bwrap", words + arguments)
    }
}
