// SPDX-License-Identifier: GPL-3.0-or-later
import Administration
import Linux
import Varlink

/// `needletail-disks`.
public enum DisksCommand {
    /// Runs the command.
    ///
    /// - Parameter arguments: without its own name.
    /// - Returns: an exit status: 0 when it was done, 1 when not, 2 for a wrong use, 77 for a wrong password, 69 when the service
    ///   or the password is not there.
    public static func run(_ arguments: [String]) async -> Int32 {
        await run(arguments, client: VarlinkClient(path: DisksInterface.socket), isYes: nil) { ticket, readsPassword in
            await AdministrationCommand.confirm(ticket, readsPassword: readsPassword)
        }
    }

    static func run(
        _ arguments: [String], client: VarlinkClient, isYes: (@Sendable (String) -> Bool)?,
        confirm: @Sendable (String, Bool) async -> Int32
    ) async -> Int32 {
        let service = DisksInterface.name
        let readsPassword = arguments.first == "--password-stdin"
        let words = readsPassword ? Array(arguments.dropFirst()) : arguments
        let name = words.count == 2 ? words[1] : ""
        do {
            switch (words.first, words.count) {
            case (nil, _), ("list", 1):
                let disks = try await list(client)
                say(disks.isEmpty ? DisksWords.none : DisksWords.list(disks), to: 1)
            case ("open", 2):
                let reply = try await client.call(
                    "\(service).Open", DisksInterface.Name(name: name), returning: DisksInterface.Path.self)
                let entry = try await list(client).first { entry in
                    entry.name == name || entry.partitions.contains { $0.name == name }
                }
                say(
                    entry?.reason == "later"
                        ? DisksWords.writable(name, reply.path) : DisksWords.opened(name, reply.path), to: 1)
            case ("allow-writing", 2):
                return try await allowWriting(
                    name, client, readsPassword: readsPassword, isYes: isYes, confirm: confirm)
            case ("close", 2):
                try await client.call("\(service).Close", DisksInterface.Name(name: name))
                say(DisksWords.closed(name), to: 1)
            case ("lock", 1):
                try await client.call("\(service).CloseAll")
                say(DisksWords.locked, to: 1)
            case ("--help", _), ("-h", _): say(DisksWords.usage, to: 1)
            default:
                say(DisksWords.usage)
                return 2
            }
            return 0
        } catch let error as VarlinkError {
            say(sentence(error))
            return error == DisksInterface.error("NoPassword") ? 69 : 1
        } catch {
            say(DisksWords.noService)
            return 69
        }
    }

    private static func allowWriting(
        _ name: String, _ client: VarlinkClient, readsPassword: Bool, isYes: (@Sendable (String) -> Bool)?,
        confirm: @Sendable (String, Bool) async -> Int32
    ) async throws -> Int32 {
        let disk = try await list(client).first { disk in
            disk.name == name || disk.partitions.contains { $0.name == name }
        }
        guard let disk else { throw DisksInterface.error("NoDisk") }
        let ticket = try await client.call(
            "\(DisksInterface.name).AskWriting",
            DisksInterface.Question(name: name, model: disk.model, serial: disk.serial, size: disk.size),
            returning: DisksInterface.Ticket.self)
        say(DisksWords.question(name, disk))
        if !readsPassword {
            guard isYes?(name) ?? isTyped(name) else {
                say(DisksWords.stopped)
                return 1
            }
        }
        let status = await confirm(ticket.ticket, readsPassword)
        guard status == 0 else { return status }
        let reply = try await client.call(
            "\(DisksInterface.name).AllowWriting", ticket, returning: DisksInterface.Path.self)
        say(DisksWords.writable(name, reply.path), to: 1)
        return 0
    }

    private static func list(_ client: VarlinkClient) async throws -> [DisksInterface.DiskEntry] {
        try await client.call("\(DisksInterface.name).List", returning: DisksInterface.ListReply.self).disks
    }

    private static func isTyped(_ name: String) -> Bool {
        guard let terminal = try? File("/dev/tty", .readAndWrite) else { return false }
        _ = try? Descriptor.write(Array(DisksWords.typeName(name).utf8)[...], to: terminal.descriptor)
        let line = (try? terminal.read(upTo: 256)) ?? []
        return String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace) == [name[...]]
    }

    private static func sentence(_ error: VarlinkError) -> String {
        let own = "\(DisksInterface.name)."
        guard error.name.hasPrefix(own) else {
            return error == .permissionDenied ? DisksWords.notYours : DisksWords.noService
        }
        switch error.name.dropFirst(own.count) {
        case "NoDisk": return DisksWords.noDisk + DisksWords.askAgain
        case "Medium": return DisksWords.medium
        case "Off": return DisksWords.off
        case "NotOpen": return DisksWords.notOpen
        case "OtherDisk": return DisksWords.otherDisk
        case "NoPassword": return AdministrationCommand.offWords
        case "NotConfirmed": return DisksWords.notConfirmed
        default: return DisksWords.failed(error.parameters["reason"]?.text ?? "?")
        }
    }

    private static func say(_ text: String, to descriptor: Int32 = 2) {
        _ = try? Descriptor.write(Array(text.utf8)[...], to: descriptor)
    }
}
