// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// One command in the room, between its terminal or pipes and the user's connection. Runs in a process of its own.
///
/// The user's own terminal never comes into the room: what is in the room sees a terminal of the room, and the user's program
/// copies between the two.
struct RoomCommand {
    private let connection: Int32
    private let signals: Int32
    private let child: Int32
    /// Where input goes: the terminal, or a pipe until the input's end.
    private var input: Int32?
    /// Where output comes from, with its kind.
    private var sources: [Int32: Frame.Kind]
    private let terminal: Int32?
    private var toProgram = Outbox()
    private var toUser = Outbox()
    private var reader = FrameReader()
    private var inputHasEnded = false

    /// Runs a command to its end.
    ///
    /// - Returns: an exit status of this process, which nobody reads.
    static func run(_ request: CommandRequest, connection: Int32) -> Int32 {
        Descriptor.ignoreBrokenPipes()
        guard var command = try? RoomCommand(request, connection: connection) else {
            _ = try? UnixSocket.write(Refusal.busy.frame().bytes[...], to: connection)
            return 1
        }
        command.relay()
        return 0
    }

    private init(_ request: CommandRequest, connection: Int32) throws(SystemCallFailure) {
        self.connection = connection
        try UnixSocket.setNonBlocking(connection)
        signals = try Processes.signals([Processes.Signal.childEnded])
        let arguments = request.arguments.isEmpty ? Room.shell : request.arguments
        if let asked = request.terminal {
            let (controller, other) = try Terminal.open()
            defer { Descriptor.close(other) }
            Terminal.setWindow(asked.window, of: controller)
            child = try Processes.start(
                Processes.Plan(
                    arguments: arguments, environment: Room.environment + ["TERM=\(asked.kind)"], folders: Room.folders,
                    directory: "/root", descriptors: (other, other, other), controlsTerminal: true))
            terminal = controller
            input = controller
            sources = [controller: .output]
        } else {
            let toChild = try Descriptor.pipe(), output = try Descriptor.pipe(), error = try Descriptor.pipe()
            defer { for end in [toChild.reading, output.writing, error.writing] { Descriptor.close(end) } }
            child = try Processes.start(
                Processes.Plan(
                    arguments: arguments, environment: Room.environment + ["TERM=dumb"], folders: Room.folders,
                    directory: "/root", descriptors: (toChild.reading, output.writing, error.writing)))
            terminal = nil
            input = toChild.writing
            sources = [output.reading: .output, error.reading: .error]
            for end in [toChild.writing, output.reading, error.reading] { try UnixSocket.setNonBlocking(end) }
        }
        toUser.add(Frame(.started).bytes)
    }

    private mutating func relay() {
        var status: Int32?
        do {
            while status == nil {
                let ready = Polling.wait(reading: readable, writing: writable)
                while Processes.nextSignal(signals) != nil {}
                try move(ready)
                if let ended = Processes.ended(child) { status = ended.status }
            }
            // What it wrote before its end. What others in the background still write is nobody's.
            for _ in 0..<1024 where !sources.isEmpty {
                let ready = Polling.wait(reading: Set(sources.keys), seconds: 0)
                if ready.reading.isEmpty { break }
                try readSources(ready.reading)
                try empty(within: 10)
            }
            toUser.add(Frame(.ended, [UInt8(truncatingIfNeeded: status ?? 255)]).bytes)
            try empty(within: 10)
        } catch {
            // The user is gone: so is the command.
            Processes.signal(group: child, Processes.Signal.hangUp)
            if let terminal { Descriptor.close(terminal) }
            for _ in 0..<20 {
                if Processes.ended(child) != nil { return }
                _ = Polling.wait(reading: [signals], seconds: 0.1)
                while Processes.nextSignal(signals) != nil {}
            }
            Processes.kill(child)
        }
    }

    private var readable: Set<Int32> {
        var set: Set<Int32> = [signals]
        if !toProgram.isFull { set.insert(connection) }
        if !toUser.isFull { set.formUnion(sources.keys) }
        return set
    }

    private var writable: Set<Int32> {
        var set: Set<Int32> = []
        if !toUser.isEmpty { set.insert(connection) }
        if let input, !toProgram.isEmpty { set.insert(input) }
        return set
    }

    /// The user has gone, or broke the rules.
    private struct Gone: Error {}

    private mutating func move(_ ready: Polling.Ready) throws {
        if ready.writing.contains(connection) { try toUser.write(to: connection) }
        if let input, ready.writing.contains(input) {
            do {
                try toProgram.write(to: input)
            } catch {
                // The program does not want more.
                toProgram.forget()
                closeInput()
            }
        }
        if inputHasEnded, toProgram.isEmpty { closeInput() }
        try readSources(ready.reading)
        guard ready.reading.contains(connection), let bytes = try Descriptor.read(connection) else { return }
        if bytes.isEmpty { throw Gone() }
        for frame in try reader.add(bytes) { try take(frame) }
        if inputHasEnded, toProgram.isEmpty { closeInput() }
    }

    private mutating func take(_ frame: Frame) throws {
        switch frame.kind {
        case .input: if input != nil, !inputHasEnded { toProgram.add(frame.payload) }
        case .endOfInput: if terminal == nil { inputHasEnded = true }
        case .window: if let terminal, let window = frame.window { Terminal.setWindow(window, of: terminal) }
        case .signal:
            let allowed = [Processes.Signal.hangUp, Processes.Signal.interrupt, Processes.Signal.terminate]
            guard let number = frame.payload.first, allowed.contains(Int32(number)) else { throw Gone() }
            Processes.signal(group: child, Int32(number))
        case .started, .output, .error, .ended, .refused: throw Gone()
        }
    }

    private mutating func readSources(_ ready: Set<Int32>) throws {
        for (source, kind) in sources where ready.contains(source) {
            guard let bytes = try Descriptor.read(source, upTo: Frame.most) else { continue }
            if bytes.isEmpty {
                sources[source] = nil
                if source != terminal { Descriptor.close(source) }
            } else {
                toUser.add(Frame(kind, bytes).bytes)
            }
        }
    }

    private mutating func closeInput() {
        guard let input, input != terminal else { return }
        Descriptor.close(input)
        self.input = nil
    }

    private mutating func empty(within seconds: Double) throws {
        let end = Machine.uptime + seconds
        while !toUser.isEmpty {
            guard Machine.uptime < end else { throw Gone() }
            _ = Polling.wait(reading: [], writing: [connection], seconds: end - Machine.uptime)
            try toUser.write(to: connection)
        }
    }
}
