// SPDX-License-Identifier: GPL-3.0-or-later
import Dispatch
import Linux
import Uplink
import Varlink

extension Portal.World {
    /// The real one.
    static var system: Portal.World {
        Portal.World(
            uplink: { Uplink.current() },
            names: { uplink in await names(of: uplink) },
            tor: { await ConnectionQuestion.torReach() },
            ask: { question in
                try await VarlinkClient(path: PortalInterface.consentSocket).call(
                    "org.needletail.PortalConsent.Ask", question, within: .seconds(question.seconds + 15),
                    returning: ConsentAnswer.self)
            },
            browse: { task in
                try await VarlinkClient(path: PortalInterface.browserSocket).call(
                    "org.needletail.PortalBrowser.Browse", task, within: nil, returning: BrowserEnd.self)
            },
            writeResolver: { try writeResolver($0) })
    }

    private static func names(of uplink: Uplink) async -> [NetworkAddress] {
        await withCheckedContinuation { continuation in
            // It waits for another program: not on a thread that tasks share.
            DispatchQueue.global().async { continuation.resume(returning: NameServers.current(of: uplink)) }
        }
    }

    private static func writeResolver(_ names: [NetworkAddress]) throws {
        let lines = names.map { "nameserver \($0)\n" } + ["options timeout:3 attempts:3\n"]
        try File(PortalInterface.resolverFile, .create(mode: 0o644)).write(Array(lines.joined().utf8))
    }
}

/// Asks the connection service whether Tor can be used.
enum ConnectionQuestion {
    static let socket = "/run/needletail/connection.sock"

    struct Reply: Decodable, Sendable {
        struct State: Decodable, Sendable { var code: String }
        var state: State
    }

    /// - Returns: `.unknown` when there is no answer: then nobody is asked, and nothing is opened.
    static func torReach() async -> TorReach {
        let reply = try? await VarlinkClient(path: socket).call(
            "org.needletail.Connection.GetState", within: .seconds(5), returning: Reply.self)
        guard let reply else { return .unknown }
        return reply.state.code == "connected" ? .connected : .notConnected
    }
}
