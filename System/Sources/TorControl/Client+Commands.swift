// SPDX-License-Identifier: GPL-3.0-or-later

extension Client {
    /// Sends a command and waits for its success.
    ///
    /// - Throws: ``ControlFailure/refused(status:text:)`` when Tor does not do it, and what ``request(_:within:)`` throws.
    @discardableResult
    public func send(_ command: Command, within time: Duration = .seconds(60)) async throws -> Reply {
        let reply = try await request(command, within: time)
        guard reply.isPositive else { throw ControlFailure.refused(status: reply.status, text: reply.text) }
        return reply
    }

    /// The value of one key (control-spec 3.9), lines separated by line feeds.
    public func getInfo(_ key: String) async throws -> String {
        guard let value = try await getInfo([key])[key] else { throw ControlFailure.unexpectedAnswer(key) }
        return value
    }

    /// The values of several keys, all or none.
    public func getInfo(_ keys: [String]) async throws -> [String: String] {
        let reply = try await send(try .getInfo(keys))
        let values = reply.values.compactMap { pair in pair.value.map { (pair.key, $0) } }
        return Dictionary(values) { first, _ in first }
    }

    /// The values of an option: none when it is at its default, several for lists.
    public func getConf(_ option: String) async throws -> [String] {
        try await send(try .getConf([option])).values.compactMap { pair in
            guard pair.key.lowercased() == option.lowercased(), pair.value?.isEmpty == false else { return nil }
            return pair.value.map(QuotedString.value)
        }
    }

    /// Sets options, all or none. Tor says which one is wrong.
    public func setConf(_ settings: [Command.Setting]) async throws { try await send(try .setConf(settings)) }

    /// Sets options to their defaults or to values, all or none.
    public func resetConf(_ settings: [Command.Setting]) async throws { try await send(try .resetConf(settings)) }

    /// Chooses the events of ``events``; the ones chosen before are forgotten.
    public func setEvents(_ kinds: [EventKind]) async throws { try await send(try .setEvents(kinds)) }

    /// Sends Tor a signal.
    public func signal(_ signal: Command.Signal) async throws { try await send(try .signal(signal)) }

    /// How far Tor is in connecting.
    public func bootstrap() async throws -> Bootstrap {
        let key = "status/bootstrap-phase"
        guard let phase = Bootstrap(phase: try await getInfo(key)) else { throw ControlFailure.unexpectedAnswer(key) }
        return phase
    }

    /// The circuits that there are; what cannot be read is left out.
    public func circuits() async throws -> [Circuit] {
        try await getInfo("circuit-status").split(separator: "\n").compactMap { Circuit($0) }
    }
}
