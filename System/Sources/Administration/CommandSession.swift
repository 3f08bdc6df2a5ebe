// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The user's side of a command in the room: copies between the user's terminal, or input and output, and the connection.
struct CommandSession {
    let connection: Int32
    let isTerminal: Bool
    /// Where input comes from.
    let input: Int32
    /// Where the command's output goes.
    var output: Int32 = 1
    /// Where its errors go.
    var errors: Int32 = 2

    /// What a shell tells of a program that wrote to something that nobody reads any more: 128 + SIGPIPE.
    static let nobodyReads: Int32 = 141

    /// Copies until the command has ended.
    ///
    /// - Returns: its exit status.
    func run() -> Int32 {
        let before = isTerminal ? try? Terminal.makeRaw(0) : nil
        defer { if let before { Terminal.restore(0, before) } }
        do {
            Descriptor.ignoreBrokenPipes()
            let numbers = [
                Processes.Signal.hangUp, Processes.Signal.interrupt, Processes.Signal.terminate,
                Processes.Signal.windowChanged,
            ]
            return try copy(signals: Processes.signals(numbers))
        } catch {
            AdministrationCommand.say(AdministrationWords.gone)
            return 69
        }
    }

    /// Copies until the command has ended.
    ///
    /// - Parameter signals: from `Processes.signals`.
    /// - Returns: the command's exit status, or that of this program when the command was refused, a signal came first, or nobody
    ///   reads what the command writes: then it ends with the connection, without a word, as in every other pipeline.
    /// - Throws: ``BrokenFrame`` when the connection ends without an answer; `SystemCallFailure`.
    func copy(signals: Int32) throws -> Int32 {
        var reader = FrameReader()
        var toRoom = Outbox()
        // Nothing but the password goes out before the command runs: it may be the service that reads.
        var hasStarted = false
        var inputIsOpen = true
        var takesInput = true
        while true {
            if !takesInput { toRoom.forget() }
            var reading: Set<Int32> = [connection, signals]
            if hasStarted, inputIsOpen, takesInput, !toRoom.isFull { reading.insert(input) }
            let ready = Polling.wait(reading: reading, writing: toRoom.isEmpty ? [] : [connection])
            while let number = Processes.nextSignal(signals) {
                if number == Processes.Signal.windowChanged {
                    if let window = Terminal.window(of: 0), isTerminal { toRoom.add(Frame.window(window).bytes) }
                } else if hasStarted {
                    toRoom.add(Frame(.signal, [UInt8(truncatingIfNeeded: number)]).bytes)
                } else {
                    return 128 + number
                }
            }
            if ready.reading.contains(input), reading.contains(input) {
                // Not a copy of the user's descriptor with other flags: one read when there is something.
                let bytes = try Descriptor.read(input, upTo: Frame.most) ?? []
                inputIsOpen = !bytes.isEmpty
                toRoom.add(bytes.isEmpty ? Frame(.endOfInput).bytes : Frame(.input, bytes).bytes)
            }
            if ready.writing.contains(connection) {
                do {
                    try toRoom.send(to: connection)
                } catch {
                    // The command has ended and takes no input. What it wrote, and how it ended, still waits to be read.
                    takesInput = false
                }
            }
            guard ready.reading.contains(connection), let bytes = try Descriptor.read(connection) else { continue }
            if bytes.isEmpty { throw BrokenFrame() }
            for frame in try reader.add(bytes) {
                switch frame.kind {
                case .started: hasStarted = true
                case .output, .error:
                    do {
                        try write(frame.payload, to: frame.kind == .output ? output : errors)
                    } catch let failure as SystemCallFailure where failure.number == .brokenPipe {
                        return Self.nobodyReads
                    }
                case .ended: return Int32(frame.payload.first ?? 255)
                case .refused: return refused(frame.payload)
                case .input, .endOfInput, .window, .signal: throw BrokenFrame()
                }
            }
        }
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            if let count = try Descriptor.write(rest, to: descriptor) {
                rest = rest.dropFirst(count)
            } else {
                _ = Polling.wait(reading: [], writing: [descriptor])
            }
        }
    }

    private func refused(_ payload: [UInt8]) -> Int32 {
        let seconds = payload.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
        switch payload.first.flatMap(Refusal.init(rawValue:)) {
        case .wrongPassword:
            AdministrationCommand.say(AdministrationWords.wrong)
            return 77
        case .tooManyTries:
            AdministrationCommand.say(AdministrationWords.tooMany(seconds))
            return 77
        case .off: AdministrationCommand.say(AdministrationWords.off)
        case .noTicket: AdministrationCommand.say(AdministrationWords.noTicket)
        case .busy: AdministrationCommand.say(AdministrationWords.busy)
        case .failed, nil: AdministrationCommand.say(AdministrationWords.failed)
        }
        return 69
    }
}
