// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// Something that systemd in the guest finds at boot without any hook in the image: the machine's own firmware tables carry
/// it (SMBIOS type 11), as a hosting machine's owner may always do. See: systemd.system-credentials(7).
public struct Credential: Sendable, Hashable {
    /// Its name.
    public let name: String
    /// Its content.
    public let content: [UInt8]

    /// A credential with bytes.
    public init(_ name: String, content: [UInt8]) {
        self.name = name
        self.content = content
    }

    /// A credential with text.
    public init(_ name: String, _ text: String) { self.init(name, content: Array(text.utf8)) }

    /// A unit, added to the guest's own.
    ///
    /// - Parameters:
    ///   - name: Its full name, `x.service`.
    ///   - text: The unit file.
    /// - Returns: The credential.
    public static func unit(_ name: String, _ text: String) -> Credential {
        Credential("systemd.extra-unit.\(name)", text)
    }

    /// Lines added to one of the guest's units.
    public static func dropIn(for unit: String, _ text: String) -> Credential {
        Credential("systemd.unit-dropin.\(unit)", text)
    }

    /// A file that `systemd-tmpfiles-setup.service` writes at boot, after the file systems are there and before ordinary
    /// services start. Its folder has to exist. The root shell can answer before that.
    ///
    /// - Parameters:
    ///   - path: An absolute path without spaces.
    ///   - content: What is written.
    ///   - appending: Whether it is added to the end of a file that is there.
    ///   - mode: The permissions of a new file.
    ///   - user: Its owner.
    /// - Returns: The credential; several become one.
    public static func file(
        _ path: String, _ content: String, appending: Bool = false, mode: String = "0644", user: String = "root"
    ) -> Credential {
        // See: tmpfiles.d(5). '~': the argument is in Base64.
        let kind = appending ? "w+~" : "f+~"
        let owner = appending ? "- - -" : "\(mode) \(user) \(user)"
        return Credential("tmpfiles.extra", "\(kind) \(path) \(owner) - \(Data(content.utf8).base64EncodedString())\n")
    }

    /// A root shell on a virtio port, pulled in by an early target, which comes back whenever it ends.
    static func rootShell(port: String) -> [Credential] {
        let unit = """
            [Unit]
            Description=Root shell of the test bed
            DefaultDependencies=no
            After=systemd-tmpfiles-setup-dev.service
            StartLimitIntervalSec=0
            [Service]
            ExecStart=/bin/sh
            StandardInput=file:/dev/virtio-ports/\(port)
            StandardOutput=file:/dev/virtio-ports/\(port)
            StandardError=null
            Environment=HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
            Restart=always
            RestartSec=1
            OOMScoreAdjust=-1000
            IgnoreSIGPIPE=no
            """
        return [
            .unit("testbed-shell.service", unit + "\n"),
            .dropIn(for: "sysinit.target", "[Unit]\nWants=testbed-shell.service\n"),
        ]
    }

    /// Credentials of one name become one: systemd takes only the first, and `tmpfiles.extra` and drop-ins are lists of lines.
    static func merged(_ credentials: [Credential]) -> [Credential] {
        var merged: [Credential] = []
        for credential in credentials {
            if let index = merged.firstIndex(where: { $0.name == credential.name }) {
                let separator: [UInt8] = merged[index].content.last == 10 ? [] : [10]
                merged[index] = Credential(
                    credential.name, content: merged[index].content + separator + credential.content)
            } else {
                merged.append(credential)
            }
        }
        return merged
    }

    /// The string that stands in the table.
    var text: String { "io.systemd.credential.binary:\(name)=\(Data(content).base64EncodedString())" }

    func validate() throws {
        guard !name.isEmpty, name.utf8.count <= 255,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.@:".contains($0)) }), name.first != "."
        else { throw MachineFailure(.badDescription, "'\(name)' cannot name a credential.") }
    }
}
