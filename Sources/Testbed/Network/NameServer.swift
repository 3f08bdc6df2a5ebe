// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Synchronization
import SystemPackage

/// A `dnsmasq` of the private network: the LAN's, which hands out addresses and knows no name but snowflake's two, or the exits',
/// which knows the web server's. Neither asks anybody else.
public final class NameServer: Sendable {
    enum Role {
        case router(LocalNetwork)
        case exitResolver

        /// Names its log.
        var name: String {
            switch self {
            case .router(let network):
                network.bridge == PrivateNetwork.bridge ? "router" : "router-\(network.bridge)"
            case .exitResolver: "exit-resolver"
            }
        }
    }

    /// A question for a name.
    public struct Question: Sendable, Hashable {
        /// Who asked.
        public let client: String
        /// The record's type, "A" or "AAAA" for example.
        public let type: String
        /// The name, in lower case (tor asks in random case, to make forged answers harder).
        public let name: String
    }

    /// An address that a machine holds.
    public struct Lease: Sendable, Hashable {
        /// The machine's hardware address, in lower case with colons.
        public let hardwareAddress: String
        /// Its IPv4 address.
        public let address: String
        /// The host name that it sent; `nil` when it sent none.
        public let hostName: String?
    }

    /// Addresses that a hostile name server would answer with, to lead a program to its own computer or network: the
    /// loopback's, Tor's side of the session's link, a router's.
    public static let hostileAddresses = ["127.0.0.1", "10.77.0.1", "192.168.1.1"]

    /// The name for which the exits' server answers with a hostile address.
    public static func hostileName(_ address: String) -> String {
        "a\(address.replacing(".", with: "-")).hostile.example"
    }

    private let role: Role
    private let sandbox: Sandbox
    private let server: Mutex<BackgroundCommand>
    /// What the servers before this one have written.
    private let past = Mutex("")
    private let leaseFile: FilePath

    static func start(_ role: Role, in sandbox: Sandbox) async throws -> NameServer {
        let leaseFile = sandbox.work.appending("\(role.name).leases")
        try? FileManager.default.removeItem(atPath: leaseFile.string)
        let server = try await run(role, leaseFile, in: sandbox)
        return NameServer(role, server: server, leaseFile: leaseFile, sandbox: sandbox)
    }

    private static func run(_ role: Role, _ leaseFile: FilePath, in sandbox: Sandbox) async throws -> BackgroundCommand
    {
        let namespace = if case .router = role { PrivateNetwork.lan } else { PrivateNetwork.internet }
        // --no-daemon: stay in the foreground, and stay who we are; in a user namespace there is no other user to become.
        var words = [
            "--no-daemon", "--conf-file=/dev/null",
            "--log-facility=-", "--log-queries", "--log-async=0", "--no-resolv", "--no-hosts", "--no-poll",
            "--bind-interfaces", "--except-interface=lo",
        ]
        switch role {
        case .router(let network):
            words += network.words + ["--dhcp-leasefile=\(leaseFile)"]
            words += [Address.brokerNames.front, Address.brokerNames.stun].flatMap {
                // The second: they have no IPv6 address, which is not the same as not to know.
                ["--address=/\($0)/\(Address.broker)", "--local=/\($0)/"]
            }
        case .exitResolver:
            words += ["--listen-address=\(Address.exitResolver)", "--address=/\(Address.webName)/\(Address.web)"]
            words += hostileAddresses.map { "--address=/\(hostileName($0))/\($0)" }
            words += zip(Address.timeServerNames, Address.timeServers).map { "--address=/\($0)/\($1)" }
        }
        let server = sandbox.start(role.name, "dnsmasq", words, in: namespace)
        do {
            try await waitUntil("The name server “\(role.name)”", answers: server) {
                (try? String(contentsOfFile: server.log.string, encoding: .utf8))?.contains("started, version") == true
            }
        } catch {
            await server.stop()
            throw error
        }
        return server
    }

    private init(_ role: Role, server: BackgroundCommand, leaseFile: FilePath, sandbox: Sandbox) {
        self.role = role
        self.server = Mutex(server)
        self.leaseFile = leaseFile
        self.sandbox = sandbox
    }

    /// Lets the LAN's server say other things from now on. It forgets nothing of what it has handed out.
    ///
    /// - Parameter network: What it says; the same bridge as before.
    /// - Throws: `NetworkFailure` when the server does not start again.
    public func change(to network: LocalNetwork) async throws {
        let old = server.withLock { $0 }
        await old.stop()
        let text = try String(contentsOfFile: old.log.string, encoding: .utf8)
        past.withLock { $0 += text }
        let new = try await Self.run(.router(network), leaseFile, in: sandbox)
        server.withLock { $0 = new }
    }

    /// All that the server has written: for DHCP each message that came and each that went (`--log-dhcp`).
    ///
    /// - Throws: An error of Foundation when the log cannot be read.
    public func log() throws -> String {
        let text = try String(contentsOfFile: server.withLock { $0.log.string }, encoding: .utf8)
        return past.withLock { $0 } + text
    }

    /// Every question since the start, in order. A question that the LAN's server was asked is a leak, but for
    /// snowflake's.
    ///
    /// - Throws: An error of Foundation when the log cannot be read.
    public func questions() throws -> [Question] {
        try log().split(separator: "\n").compactMap { line in
            // dnsmasq[7]: 1 192.0.2.100/40000 query[A] web.example from 192.0.2.100
            guard let start = line.range(of: "query[") else { return nil }
            let rest = line[start.upperBound...].split(separator: " ")
            guard rest.count == 4, rest[0].last == "]", rest[2] == "from" else { return nil }
            return Question(client: String(rest[3]), type: String(rest[0].dropLast()), name: rest[1].lowercased())
        }
    }

    /// The addresses that are handed out now; none for the exits' server.
    ///
    /// - Throws: An error of Foundation when the list cannot be read.
    public func leases() throws -> [Lease] {
        guard FileManager.default.fileExists(atPath: leaseFile.string) else { return [] }
        return try String(contentsOfFile: leaseFile.string, encoding: .utf8).split(separator: "\n").compactMap { line in
            // 1763712000 02:00:00:00:00:01 192.0.2.100 host 01:02:00:00:00:00:01
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 5 else { return nil }
            return Lease(hardwareAddress: words[1], address: words[2], hostName: words[3] == "*" ? nil : words[3])
        }
    }

    func stop() async { await server.withLock { $0 }.stop() }
}
