// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Varlink

/// `needletail-admin`.
public enum AdministrationCommand {
    /// Runs the command.
    ///
    /// - Parameter arguments: without its own name.
    /// - Returns: an exit status: the command's own, 141 when nobody reads what it writes; 2 for a wrong use, 77 for a wrong password,
    ///   69 when administration is off or does not answer.
    public static func run(_ arguments: [String]) async -> Int32 {
        await run(
            arguments, client: VarlinkClient(path: AdministrationInterface.socket),
            door: AdministrationInterface.terminalSocket)
    }

    static func run(_ arguments: [String], client: VarlinkClient, door: String) async -> Int32 {
        guard let use = AdministrationUse(arguments) else {
            say(AdministrationWords.usage)
            return 2
        }
        do {
            switch use.what {
            case .help:
                say(AdministrationWords.usage, to: 1)
                return 0
            case .status: return try await status(client)
            case .end:
                let reply = try await client.call(
                    "\(AdministrationInterface.name).End", returning: AdministrationInterface.EndReply.self)
                say(reply.wasRunning ? AdministrationWords.ended : AdministrationWords.endedNothing, to: 1)
                return 0
            case .run(let command):
                return try await start(command, use, client, door: door)
            case .copy(let files):
                for file in files {
                    let result = try await copy(file, use, client, door: door)
                    if result != 0 { return result }
                }
                return 0
            }
        } catch let error as VarlinkError {
            if error.name == "\(AdministrationInterface.name).Off" {
                say(AdministrationWords.off)
                return 69
            }
            switch error {
            case .permissionDenied: say(AdministrationWords.notYours)
            case _ where error.name.hasSuffix("InvalidParameter"): say(AdministrationWords.badArguments)
            default: say(AdministrationWords.failed)
            }
            return 69
        } catch {
            say(AdministrationWords.noService)
            return 69
        }
    }

    private static func status(_ client: VarlinkClient) async throws -> Int32 {
        let reply = try await client.call(
            "\(AdministrationInterface.name).GetState", returning: AdministrationInterface.StateReply.self)
        switch reply.state {
        case .off: say(AdministrationWords.off, to: 1)
        case .ready: say(AdministrationWords.on, to: 1)
        case .running: say(AdministrationWords.running, to: 1)
        }
        return 0
    }

    private static func start(
        _ command: [String], _ use: AdministrationUse, _ client: VarlinkClient, door: String, input: Int32 = 0
    ) async throws -> Int32 {
        var terminal: AdministrationInterface.PrepareParameters.Window?
        if input == 0, !use.readsPassword, Terminal.isTerminal(0), Terminal.isTerminal(1),
            let window = Terminal.window(of: 0)
        {
            terminal = .init(kind: use.terminalKind, rows: Int(window.rows), columns: Int(window.columns))
        }
        // First, so that nobody types a password for nothing.
        let reply = try await client.call(
            "\(AdministrationInterface.name).GetState", returning: AdministrationInterface.StateReply.self)
        guard reply.state != .off else {
            say(AdministrationWords.off)
            return 69
        }
        guard let password = password(use) else {
            say(AdministrationWords.noPassword)
            return 77
        }
        let ticket = try await client.call(
            "\(AdministrationInterface.name).Prepare",
            AdministrationInterface.PrepareParameters(arguments: command, terminal: terminal),
            returning: AdministrationInterface.Ticket.self)
        let stream = try await handIn(ticket.ticket, password, at: door)
        return CommandSession(connection: stream.descriptor, isTerminal: terminal != nil, input: input).run()
    }

    static func handIn(_ ticket: String, _ password: SecretBytes, at door: String) async throws -> Stream {
        let stream = try Stream(connectingTo: door)
        var greeting: [UInt8] = []
        // One room for all of it: an array that grows leaves its old bytes behind.
        greeting.reserveCapacity(ticket.utf8.count + 2 + password.count)
        greeting += Array(ticket.utf8) + [UInt8(password.count >> 8), UInt8(password.count & 0xff)]
        password.withBytes { greeting += $0 }
        defer { SecretBytes.forget(&greeting) }
        try await stream.write(greeting)
        return stream
    }

    /// Asks for the administration password as the answer to another service's question, and says why when it is not taken.
    ///
    /// - Parameters:
    ///   - ticket: what the other service has given out, from the administration service's `PrepareConfirmation`.
    ///   - readsPassword: the first line of the input is the password.
    /// - Returns: 0 when it was right; otherwise an exit status as of ``run(_:)``.
    public static func confirm(_ ticket: String, readsPassword: Bool = false) async -> Int32 {
        let use = AdministrationUse(readsPassword ? ["--password-stdin"] : [])
        guard let use, let password = password(use) else {
            say(AdministrationWords.noPassword)
            return 77
        }
        do {
            let stream = try await handIn(ticket, password, at: AdministrationInterface.terminalSocket)
            let nothing = try File("/dev/null")
            let session = CommandSession(
                connection: stream.descriptor, isTerminal: false, input: nothing.descriptor)
            return withExtendedLifetime(stream) { session.run() }
        } catch {
            say(AdministrationWords.noService)
            return 69
        }
    }

    /// What is said when administration is off.
    public static var offWords: String { AdministrationWords.off }

    private static func copy(
        _ file: String, _ use: AdministrationUse, _ client: VarlinkClient, door: String
    ) async throws -> Int32 {
        let name = file.split(separator: "/").last.map(String.init) ?? "file"
        do {
            let open = try File(file)
            // A shell of the room reads it from its input; the name is an argument and not part of the script.
            return try await start(
                ["sh", "-c", "cat > \"/root/$1\"", "copy", name], use, client, door: door, input: open.descriptor)
        } catch let error as SystemCallFailure where error.call == "open" {
            say(AdministrationWords.unreadable(file, error.number.description))
            return 66
        }
    }

    private static func password(_ use: AdministrationUse) -> SecretBytes? {
        if use.readsPassword { return PasswordQuestion.line(from: 0) }
        guard let terminal = try? File("/dev/tty", .readAndWrite) else { return nil }
        let before = try? Terminal.makeSilent(terminal.descriptor)
        defer { if let before { Terminal.restore(terminal.descriptor, before) } }
        _ = try? Descriptor.write(Array(AdministrationWords.password.utf8)[...], to: terminal.descriptor)
        guard let line = PasswordQuestion.line(from: terminal.descriptor), line.count > 0 else { return nil }
        return line
    }

    static func say(_ text: String, to descriptor: Int32 = 2) {
        _ = try? Descriptor.write(Array(text.utf8)[...], to: descriptor)
    }
}

/// What `needletail-admin` was asked for.
struct AdministrationUse: Hashable {
    enum What: Hashable {
        case help
        case status
        case end
        case run([String])
        case copy([String])
    }
    var what: What
    /// The first line of the input is the password.
    var readsPassword = false
    /// The terminal's kind: `TERM`, or `linux` when that is nothing that can be passed on.
    var terminalKind: String

    /// Reads arguments; `nil` when they make no sense.
    init?(_ arguments: [String], terminalKind: String? = Program.environmentValue("TERM")) {
        let kind = terminalKind ?? "linux"
        self.terminalKind =
            CommandRequest(arguments: [], terminal: .init(kind: kind, window: .init(rows: 1, columns: 1))) == nil
            ? "linux" : kind
        var rest = arguments[...]
        if rest.first == "--password-stdin" {
            readsPassword = true
            rest = rest.dropFirst()
        }
        guard let first = rest.first, first.hasPrefix("-") else {
            what = .run(Array(rest))
            return
        }
        let others = Array(rest.dropFirst())
        switch first {
        case "--": what = .run(others)
        case "--copy" where !others.isEmpty: what = .copy(others)
        case "--end" where others.isEmpty: what = .end
        case "--status" where others.isEmpty: what = .status
        case "--help", "-h": what = .help
        default: return nil
        }
    }
}
