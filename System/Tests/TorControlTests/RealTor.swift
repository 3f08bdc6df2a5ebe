// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing
import TorControl

/// The computer's own Tor, started without any network, for as long as a test lasts.
struct RealTor {
    let folder: String
    var socket: String { folder + "/control" }
    var cookie: String { folder + "/cookie" }

    static let program = ["/usr/bin/tor", "/usr/sbin/tor"].first { (try? File($0)) != nil }

    static func with(_ body: (RealTor) async throws -> Void) async throws {
        let program = try #require(program)
        let tor = RealTor(folder: "/tmp/needletail-tor-\(Program.identifier)-\(UInt32.random(in: 0...UInt32.max))")
        _ = try Program.run("/bin/mkdir", ["-m", "700", tor.folder])
        defer { _ = try? Program.run("/bin/rm", ["-rf", tor.folder]) }
        let configuration = tor.folder + "/torrc"
        try File(configuration, .create(mode: 0o600)).write([])
        // It ends with this process at the latest.
        let started = try Program.run(
            program,
            [
                "--defaults-torrc", configuration, "-f", configuration, "--DisableNetwork", "1", "--SocksPort", "0",
                "--DataDirectory", tor.folder + "/data", "--ControlSocket", tor.socket + " RelaxDirModeCheck",
                "--CookieAuthentication", "1", "--CookieAuthFile", tor.cookie, "--RunAsDaemon", "1", "--Log",
                "notice file \(tor.folder)/log", "--__OwningControllerProcess", "\(Program.identifier)",
            ])
        #expect(started.status == 0, "\(started.output)")
        for _ in 0..<100 {
            if let client = try? await Client.connect(socket: tor.socket, cookie: tor.cookie) {
                await client.close()
                break
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        do {
            try await body(tor)
        } catch {
            await tor.stop()
            throw error
        }
        await tor.stop()
    }

    func stop() async {
        guard let client = try? await Client.connect(socket: socket, cookie: cookie) else { return }
        _ = try? await client.request(try .signal(.halt))
        _ = await client.untilEnd()
    }
}
