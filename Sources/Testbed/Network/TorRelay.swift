// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A relay of the private Tor network, before it runs: its keys and its configuration.
public struct TorRelay: Sendable {
    /// What a relay is for.
    public enum Role: String, Sendable {
        /// Votes on the consensus; clients may enter by it.
        case authority
        /// Connects to the web server for clients.
        case exit
    }

    /// The port for other relays and for clients.
    public static let onionPort = 9001
    /// The port on which an authority hands out the consensus.
    public static let directoryPort = 9030

    /// What it is for.
    public let role: Role
    /// Its nickname, which names its log too.
    public let name: String
    /// Its address.
    public let address: String
    /// The fingerprint of its identity key, 40 hexadecimal digits.
    public let fingerprint: String
    /// The fingerprint of an authority's long-term key; `nil` for an exit.
    public let authorityFingerprint: String?

    let folder: FilePath

    /// The line by which everybody else knows an authority; `nil` for an exit. See tor(1), DirAuthority.
    var directoryLine: String? {
        authorityFingerprint.map {
            "DirAuthority \(name) orport=\(Self.onionPort) v3ident=\($0) "
                + "\(address):\(Self.directoryPort) \(fingerprint)"
        }
    }

    /// Makes the keys of a relay; takes a second or two of computing.
    static func make(_ role: Role, name: String, address: String, in sandbox: Sandbox) async throws -> TorRelay {
        let folder = sandbox.work.appending("tor-\(name)")
        let keys = folder.appending("keys")
        try? FileManager.default.removeItem(atPath: folder.string)
        try FileManager.default.createDirectory(
            atPath: keys.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.string)

        var authority: String?
        if role == .authority {
            let certificate = keys.appending("authority_certificate")
            // The long-term key needs a pass phrase; nobody asks for it again.
            let words = [
                "--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a", "\(address):\(directoryPort)",
                "-i", keys.appending("authority_identity_key").string,
                "-s", keys.appending("authority_signing_key").string, "-c", certificate.string,
            ]
            _ = try await sandbox.command("tor-gencert", words).output(input: "needletail\n")
            authority = try word(after: "fingerprint", in: certificate)
        }
        // Asked for with an authority that does not exist: the real ones are not known before all have keys.
        let words = [
            "--ignore-missing-torrc", "-f", "/dev/null", "--list-fingerprint", "--quiet", "--DataDirectory",
            folder.string,
            "--ORPort", "1", "--Nickname", name, "--Address", address,
            "--DirAuthority", "none 192.0.2.1:1 \(String(repeating: "f", count: 40))",
        ]
        _ = try await sandbox.command("tor", words).output()
        let fingerprint = try word(after: name, in: folder.appending("fingerprint"))
        return TorRelay(
            role: role, name: name, address: address, fingerprint: fingerprint, authorityFingerprint: authority,
            folder: folder)
    }

    /// Writes its configuration and starts it.
    ///
    /// - Parameters:
    ///   - common: The lines that all relays share.
    ///   - exits: The exits' fingerprints, which the authorities vote to be exits.
    ///   - votingOffset: The second of each voting interval in which a consensus becomes valid.
    ///   - sandbox: Where it runs.
    /// - Returns: The running relay.
    /// - Throws: An error of Foundation when its configuration cannot be written.
    func start(
        common: [String], exits: [String], votingOffset: Int, in sandbox: Sandbox
    ) throws -> BackgroundCommand {
        let torrc = folder.appending("torrc")
        let lines = common + lines(work: sandbox.work, exits: exits, votingOffset: votingOffset)
        try Data(lines.map { $0 + "\n" }.joined().utf8)
            .write(to: URL(fileURLWithPath: torrc.string))
        return sandbox.start(
            "tor-\(name)", "tor", ["--defaults-torrc", "/dev/null", "-f", torrc.string], in: PrivateNetwork.internet)
    }

    private func lines(work: FilePath, exits: [String], votingOffset: Int) -> [String] {
        var lines = [
            "Nickname \(name)",
            "DataDirectory \(folder)",
            "Address \(address)",
            "ORPort \(address):\(Self.onionPort)",
            // Else the web server would see the address of the interface and not the relay's.
            "OutboundBindAddress \(address)",
            "SocksPort 0",
            "Log notice stdout",
            "AssumeReachable 1",
            "ShutdownWaitLength 0",
            "NumCPUs 1",
            "ContactInfo none",
        ]
        switch role {
        case .authority:
            lines += [
                "DirPort \(address):\(Self.directoryPort)",
                "AuthoritativeDirectory 1",
                "V3AuthoritativeDirectory 1",
                "ExitRelay 0",
                "TestingDirAuthVoteExit \(exits.joined(separator: ","))",
                "TestingDirAuthVoteGuard *",
                "TestingDirAuthVoteHSDir *",
                "TestingAuthDirTimeToLearnReachability 0",
                "TestingV3AuthInitialVotingInterval \(TorNetwork.votingInterval.first)",
                "TestingV3AuthInitialVoteDelay \(TorNetwork.votingDelay)",
                "TestingV3AuthInitialDistDelay \(TorNetwork.votingDelay)",
                "TestingV3AuthVotingStartOffset \(votingOffset)",
                "V3AuthVotingInterval \(TorNetwork.votingInterval.later)",
                "V3AuthVoteDelay 4",
                "V3AuthDistDelay 4",
                // Else a consensus is outdated after a minute, and clients never stop fetching new ones.
                "V3AuthNIntervalsValid 30",
            ]
        case .exit:
            lines += [
                "ExitRelay 1",
                "ExitPolicy accept *:*",
                "ExitPolicyRejectPrivate 0",
                "ExitPolicyRejectLocalInterfaces 0",
                // An exit gets its own copy of the consensus late. Until then it would refuse the streams of relays that
                // it does not know, and as a directory it would send clients away, who then wait for 10 s.
                "RefuseUnknownExits 0",
                "DirCache 0",
                "ServerDNSResolvConfFile \(work.appending(TorNetwork.resolverFile))",
                "ServerDNSDetectHijacking 0",
            ]
        }
        return lines
    }

    private static func word(after first: String, in file: FilePath) throws -> String {
        let text = try String(contentsOfFile: file.string, encoding: .utf8)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, words[0] == first, words[1].count == 40, words[1].allSatisfy(\.isHexDigit) else {
                continue
            }
            return String(words[1])
        }
        throw NetworkFailure(.unexpectedOutput, "\(file) has no fingerprint after “\(first)”.", log: file)
    }
}
