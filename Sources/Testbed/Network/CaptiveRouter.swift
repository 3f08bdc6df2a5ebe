// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// The router of a hotel, on the private network's own: until somebody has pressed the button on its login page, it answers every
/// name with its own address, sends every request for a page to its login page, and refuses all else.
public final class CaptiveRouter: Sendable {
    /// The words of the login page, and of the page after the button was pressed.
    public static let words = (welcome: "Hotel Example", done: "You are logged in")
    /// Where it answers in clear.
    public static let places = (names: 53, pages: 80)

    private let network: PrivateNetwork
    private let log: FilePath
    private let names: BackgroundCommand
    private let pages: BackgroundCommand

    /// Closes the router of a network.
    ///
    /// - Parameter network: The network, whose router then lets nobody through.
    /// - Returns: The closed router.
    /// - Throws: `CommandFailure`, `NetworkFailure`, an error of Foundation.
    public static func start(in network: PrivateNetwork) async throws -> CaptiveRouter {
        let sandbox = network.sandbox
        let log = sandbox.work.appending("captive-requests")
        let script = sandbox.work.appending("captive-page")
        try Data().write(to: URL(fileURLWithPath: log.string))
        try Data(page(log: log).utf8).write(to: URL(fileURLWithPath: script.string))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.string)
        let names = sandbox.start(
            "captive-names", "dnsmasq",
            [
                "--no-daemon", "--conf-file=/dev/null", "--log-facility=-", "--log-queries", "--no-resolv",
                "--no-hosts",
                "--no-poll", "--bind-interfaces", "--except-interface=lo", "--listen-address=\(Address.router)",
                "--port=5353", "--address=/#/\(Address.router)",
            ], in: PrivateNetwork.lan)
        let pages = sandbox.start(
            "captive-pages", "busybox", ["nc", "-ll", "-p", "8080", "-e", script.string], in: PrivateNetwork.lan)
        let router = CaptiveRouter(network: network, log: log, names: names, pages: pages)
        do {
            try await waitUntil("The captive router's name server", answers: names) {
                (try? String(contentsOfFile: names.log.string, encoding: .utf8))?.contains("started, version") == true
            }
            _ = try await sandbox.command("nft", ["-f", "-"], in: PrivateNetwork.lan).output(input: rules)
            let question = sandbox.command(
                "curl", ["-sS", "--max-time", "2", "http://\(Address.web)/x"], in: PrivateNetwork.computer)
            try await waitUntil("The captive router's page", answers: pages) {
                (try? await question.output())?.contains("elsewhere") == true
            }
        } catch {
            await router.stop()
            throw error
        }
        return router
    }

    private init(network: PrivateNetwork, log: FilePath, names: BackgroundCommand, pages: BackgroundCommand) {
        self.network = network
        self.log = log
        self.names = names
        self.pages = pages
    }

    /// What was asked of its pages, one line each: method, address, and what the browser says it is.
    public func requests() throws -> [String] {
        try String(contentsOfFile: log.string, encoding: .utf8).split(separator: "\n").map(String.init)
            .filter { !$0.contains("curl/") }
    }

    /// What it was asked as a name server: lines of dnsmasq's log.
    public func questions() throws -> [String] {
        try String(contentsOfFile: names.log.string, encoding: .utf8).split(separator: "\n").map(String.init)
            .filter { $0.contains("query[") }
    }

    /// Whether the button was pressed.
    public func hasLogin() throws -> Bool { try requests().contains { $0.contains("/login") } }

    /// Lets nobody through any more, as when the time that was paid for is over.
    public func forget() async throws {
        _ = try await network.sandbox.command(
            "nft", ["flush", "set", "ip", "captive", "known"], in: PrivateNetwork.lan
        )
        .output()
    }

    func stop() async {
        await names.stop()
        await pages.stop()
    }

    private static let rules = """
        table ip captive {
            set known { type ipv4_addr; flags interval; }
            chain answer {
                type nat hook prerouting priority dstnat;
                iifname != "\(PrivateNetwork.bridge)" return
                ip saddr @known return
                udp dport \(places.names) redirect to :5353
                tcp dport \(places.names) redirect to :5353
                tcp dport \(places.pages) redirect to :8080
            }
            chain through {
                type filter hook forward priority filter;
                iifname != "\(PrivateNetwork.bridge)" return
                ip saddr @known return
                meta l4proto tcp reject with tcp reset
                drop
            }
        }

        """

    /// A program that answers one request on its standard input.
    private static func page(log: FilePath) -> String {
        """
        #!/bin/sh
        read -r method path version
        while read -r line; do
            line=${line%?}
            [ -n "$line" ] || break
            case $line in Host:*|host:*) host=${line#* } ;; User-Agent:*) agent=${line#* } ;; esac
        done
        echo "$method http://$host$path $agent" >> \(log)
        say() {
            printf 'HTTP/1.0 %s\\r\\nContent-Type: text/html\\r\\n%s\\r\\n\\r\\n<html><title>Hotel</title>%s</html>\\n' "$1" "$2" "$3"
        }
        case $path in
        /welcome*)
            say '200 OK' 'Set-Cookie: room=12' '<h1>\(words.welcome)</h1><p>Agree to our terms.
                <form action="/login" method="get"><input type="hidden" name="ok" value="1">
                <input type="submit" value="Agree"></form>' ;;
        /login*)
            nft add element ip captive known '{ 192.0.2.0/24 }'
            say '200 OK' 'Cache-Control: no-store' '<h1>\(words.done)</h1>' ;;
        *) say '302 Found' 'Location: http://\(Address.router)/welcome' 'elsewhere' ;;
        esac

        """
    }
}
