// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Waits for an emergency. Nothing is allocated from ``waitForEmergency()`` on.
struct Watcher {
    /// Why an emergency begins.
    enum Reason {
        case mediumGone, panicKey, request
        /// The session was to end and does not.
        case endless
        /// Process 1 has crashed.
        case managerCrashed
    }

    /// Input devices that are watched: their numbers end at 63 on all but strange computers.
    static var keyboardCount: Int { @_noAllocation get { 64 } }
    static var clientCount: Int { @_noAllocation get { 8 } }
    /// Milliseconds that a client has for its message.
    static var clientTime: Int64 { @_noAllocation get { 5000 } }

    let shared: UnsafeMutablePointer<Shared>
    private var medium: MediumWatch?
    private var keys: KeyState
    private let events: Int32
    private let listener: Int32
    private let bell: Int32
    private let statistics: Int32
    private var end: EndWatch
    private let manager: Int32
    private let managerFiles: Int32
    private let memory: Int32

    /// Descriptors in the order events, bell, listener, opening, clients, keyboards, and whether they can be read.
    private let descriptors: UnsafeMutablePointer<Int32>
    private let ready: UnsafeMutablePointer<UInt8>
    private let message: UnsafeMutableRawBufferPointer
    private let clientBytes: UnsafeMutableRawBufferPointer
    private let clientLengths: UnsafeMutablePointer<Int>
    private let clientEnds: UnsafeMutablePointer<Int64>

    private static var firstClient: Int { @_noAllocation get { 4 } }
    private static var firstKeyboard: Int { @_noAllocation get { firstClient + clientCount } }
    private static var descriptorCount: Int { @_noAllocation get { firstKeyboard + keyboardCount } }

    /// `shared` has the medium in it; `medium` is `nil` when there is none to watch; `statistics`, the open `stat` file of the medium,
    /// and `listener` are -1 when there are none, as are `manager`, the open `comm` file of process 1, `managerFiles`, its `fd` folder,
    /// `opening`, which can be read when systemd-shutdown(8) was opened, and `memory`, `/proc/meminfo`.
    init(
        shared: UnsafeMutablePointer<Shared>, medium: MediumWatch?, keys: PanicKeys, events: Int32, listener: Int32,
        bell: Int32, statistics: Int32, end: EndWatch = EndWatch(seconds: EndWatch.standard), manager: Int32 = -1,
        managerFiles: Int32 = -1, opening: Int32 = -1, memory: Int32 = -1
    ) {
        self.shared = shared
        self.medium = medium
        self.keys = KeyState(keys, devices: Self.keyboardCount)
        self.events = events
        self.listener = listener
        self.bell = bell
        self.statistics = statistics
        self.end = end
        self.manager = manager
        // An older kernel does not tell: everybody would seem to have crashed.
        self.managerFiles = LastCalls.openFiles(managerFiles) > Self.standardFiles ? managerFiles : -1
        self.memory = memory
        descriptors = .allocate(capacity: Self.descriptorCount)
        descriptors.initialize(repeating: -1, count: Self.descriptorCount)
        ready = .allocate(capacity: Self.descriptorCount)
        ready.initialize(repeating: 0, count: Self.descriptorCount)
        message = .allocate(byteCount: 1 << 16, alignment: 8)
        clientBytes = .allocate(byteCount: Self.clientCount * Request.limit, alignment: 8)
        clientLengths = .allocate(capacity: Self.clientCount)
        clientLengths.initialize(repeating: 0, count: Self.clientCount)
        clientEnds = .allocate(capacity: Self.clientCount)
        clientEnds.initialize(repeating: 0, count: Self.clientCount)
        descriptors[0] = events
        descriptors[1] = bell
        descriptors[2] = listener
        descriptors[3] = opening
    }

    /// Watches the keyboards that are there already. An emergency can begin here.
    @_noAllocation mutating func openKeyboards() -> Reason? {
        var number: Int32 = 0
        while number < Int32(Self.keyboardCount) {
            if openKeyboard(number) { return .panicKey }
            number += 1
        }
        return nil
    }

    /// Whether the session has come to its end, and its memory is being erased.
    var isErasing: Bool { @_noAllocation get { manager >= 0 && LastCalls.isErasing(manager) } }

    /// Returns when there is an emergency.
    @_noAllocation mutating func waitForEmergency() -> Reason {
        var lookAt = LastCalls.now()
        var sleep = LastCalls.nowWithSleep() - LastCalls.now()
        while true {
            let now = LastCalls.now()
            // Process 1 is looked at four times a second, more often when it is about to become another program; and a disk that does
            // not answer is no reason not to wait at all.
            let wait = max(10, min(medium == nil ? 250 : lookAt - now, now < closeLooksUntil ? 10 : 250))
            _ = LastCalls.watch(descriptors, ready, Self.descriptorCount, Int32(wait))
            if ready[0] != 0 {
                switch takeEvents() {
                case .gone: return .mediumGone
                case .look: lookAt = 0
                case .fine: break
                }
                if isPanicKeyHeld { return .panicKey }
            }
            if takeKeys() { return .panicKey }
            if ready[3] != 0 {
                _ = LastCalls.read(descriptors[3], message)
                closeLooksUntil = now + 3000
            }
            if takeClients(now) { return .request }
            if isEndless(now) { return .endless }
            if hasManagerCrashed(now) { return .managerCrashed }
            if medium != nil {
                let slept = LastCalls.nowWithSleep() - LastCalls.now()
                // The two clocks are read one after the other.
                if slept > sleep + 500 {
                    medium?.woke(now: now)
                    lookAt = 0
                }
                sleep = slept
                if case .gone? = lookAtMedium(now, &lookAt) { return .mediumGone }
            }
        }
    }

    private var isPanicKeyHeld = false
    private var latestEnd: Int64 = 0
    private var closeLooksUntil: Int64 = 0
    private var emptySince = Int64.max

    // MARK: End

    /// Files that a process has when it has nothing: standard input, output and errors.
    private static var standardFiles: Int64 { @_noAllocation get { 3 } }

    /// Whether process 1 stands still after a crash: systemd closes all its files but these then and does nothing but bury the dead
    /// (CrashAction=freeze). Nobody would end the session any more.
    @_noAllocation private mutating func hasManagerCrashed(_ now: Int64) -> Bool {
        guard managerFiles >= 0 else { return false }
        guard LastCalls.openFiles(managerFiles) <= Self.standardFiles, !LastCalls.isLastManager(manager), !isErasing
        else {
            emptySince = now
            return false
        }
        guard now - emptySince >= 1000 else { return false }
        LastCalls.say("process 1 has crashed")
        return true
    }

    /// Whether the session is being ended and does not come to it.
    @_noAllocation private mutating func isEndless(_ now: Int64) -> Bool {
        if manager >= 0, LastCalls.isLastManager(manager) {
            end.begin(now: now)
            // It has allowed them, so that somebody who is tired of waiting could restart the computer with all that is in memory.
            LastCalls.forbidRestartKeys()
        }
        guard end.wantsLook(now: now) else { return false }
        guard end.isOverdue(now: now, unwritten: memory < 0 ? -1 : LastCalls.unwritten(memory)) else { return false }
        LastCalls.say("the session does not end by itself")
        return true
    }

    // MARK: Medium

    /// Takes the reader's answer and sends it to read again when it is time.
    @_noAllocation private mutating func lookAtMedium(_ now: Int64, _ lookAt: inout Int64) -> MediumWatch.Verdict? {
        guard LastCalls.isIdle(Shared.reader) else {
            return medium?.silent(now: now, answers: statistics < 0 ? 0 : LastCalls.answers(statistics))
        }
        var verdict: MediumWatch.Verdict?
        if ready[1] != 0 {
            LastCalls.quiet(bell)
            let answer = shared.pointee.answer
            verdict = medium?.verdict(
                answer == 0 ? .same : answer == Shared.different ? .different : .failed(answer))
            lookAt = now + Int64(medium?.interval(now: now) ?? 1000)
        }
        if now >= lookAt {
            LastCalls.start(Shared.reader, bell: bell)
            lookAt = now + Int64(MediumWatch.calmInterval)
        }
        return verdict
    }

    /// Takes all events that are there.
    @_noAllocation private mutating func takeEvents() -> MediumWatch.Verdict {
        var result = MediumWatch.Verdict.fine
        // A flood of events must not keep the panic key waiting.
        var count = 0
        while count < 256 {
            count += 1
            let length = LastCalls.takeEvent(events, message)
            if length == -1 { return result }
            if length == -2 {
                // Lost: the keyboards that are there are looked for anew, and the medium is looked at.
                if openKeyboards() != nil { isPanicKeyHeld = true }
                result = .look
                continue
            }
            guard let event = DeviceEvent(UnsafeRawBufferPointer(rebasing: message[0..<length])) else { continue }
            if event.isNewKeyboard {
                // Its number may be that of one whose end nobody has noticed yet.
                closeKeyboard(event.keyboard)
                if openKeyboard(event.keyboard) { isPanicKeyHeld = true }
            }
            switch medium?.verdict(event) {
            case .gone?: return .gone
            case .look?: result = .look
            case .fine?, nil: break
            }
        }
        return result
    }

    // MARK: Keyboards

    @_noAllocation private mutating func openKeyboard(_ number: Int32) -> Bool {
        guard number >= 0, number < Int32(Self.keyboardCount) else { return false }
        let place = Self.firstKeyboard + Int(number)
        guard descriptors[place] < 0 else { return false }
        let descriptor = LastCalls.openKeyboard(number, keys.codes, keys.codeCount)
        guard descriptor >= 0 else { return false }
        descriptors[place] = descriptor
        ready[place] = 0
        return keys.set(device: Int(number), down: LastCalls.keysDown(descriptor, keys.codes, keys.codeCount))
    }

    @_noAllocation private mutating func closeKeyboard(_ number: Int32) {
        guard number >= 0, number < Int32(Self.keyboardCount) else { return }
        let place = Self.firstKeyboard + Int(number)
        guard descriptors[place] >= 0 else { return }
        LastCalls.close(descriptors[place])
        descriptors[place] = -1
        keys.lose(device: Int(number))
    }

    @_noAllocation private mutating func takeKeys() -> Bool {
        var device = 0
        while device < Self.keyboardCount {
            let place = Self.firstKeyboard + device
            if descriptors[place] >= 0, ready[place] != 0, takeKeys(device, descriptors[place]) { return true }
            device += 1
        }
        return false
    }

    @_noAllocation private mutating func takeKeys(_ device: Int, _ descriptor: Int32) -> Bool {
        var count = 0
        while count < 256 {
            count += 1
            var type: UInt16 = 0
            var code: UInt16 = 0
            var value: Int32 = 0
            let result = LastCalls.nextKey(descriptor, &type, &code, &value)
            if result == 0 { return false }
            if result < 0 {
                closeKeyboard(Int32(device))
                return false
            }
            // EV_KEY
            if type == 1, keys.take(device: device, code: code, value: value) { return true }
            // EV_SYN, SYN_DROPPED: events were lost.
            if type == 0, code == 3,
                keys.set(device: device, down: LastCalls.keysDown(descriptor, keys.codes, keys.codeCount))
            {
                return true
            }
        }
        return false
    }

    // MARK: Clients

    @_noAllocation private mutating func takeClients(_ now: Int64) -> Bool {
        if ready[2] != 0 { accept(now) }
        var client = 0
        while client < Self.clientCount {
            let place = Self.firstClient + client
            if descriptors[place] >= 0 {
                if ready[place] != 0, takeMessage(client) { return true }
                if now >= clientEnds[client] { drop(client) }
            }
            client += 1
        }
        return false
    }

    @_noAllocation private mutating func accept(_ now: Int64) {
        var user = UInt32.max
        let descriptor = LastCalls.accept(listener, &user)
        guard descriptor >= 0 else { return }
        guard Request.isAllowed(user: user) else {
            LastCalls.answer(descriptor, #"{"error":"org.varlink.service.PermissionDenied","parameters":{}}"#)
            LastCalls.close(descriptor)
            return
        }
        // The one that would have to go first makes room: who holds connections open keeps nobody out.
        var chosen = 0
        var client = 0
        while client < Self.clientCount {
            if descriptors[Self.firstClient + client] < 0 {
                chosen = client
                break
            }
            if clientEnds[client] < clientEnds[chosen] { chosen = client }
            client += 1
        }
        drop(chosen)
        descriptors[Self.firstClient + chosen] = descriptor
        ready[Self.firstClient + chosen] = 0
        clientLengths[chosen] = 0
        // Never the same for two, so that it also tells who came first.
        latestEnd = max(now + Self.clientTime, latestEnd + 1)
        clientEnds[chosen] = latestEnd
    }

    @_noAllocation private mutating func takeMessage(_ client: Int) -> Bool {
        let descriptor = descriptors[Self.firstClient + client]
        let start = client * Request.limit
        let length = clientLengths[client]
        let room = UnsafeMutableRawBufferPointer(rebasing: clientBytes[(start + length)..<(start + Request.limit)])
        let count = LastCalls.read(descriptor, room)
        guard count > 0 else {
            drop(client)
            return false
        }
        clientLengths[client] = length + count
        let bytes = UnsafeRawBufferPointer(rebasing: clientBytes[start..<(start + length + count)])
        switch Request.read(bytes) {
        case .incomplete: return false
        case .start:
            LastCalls.answer(descriptor, #"{"parameters":{}}"#)
            return true
        case .state:
            LastCalls.answer(
                descriptor,
                medium == nil
                    ? #"{"parameters":{"watchesMedium":false}}"# : #"{"parameters":{"watchesMedium":true}}"#)
            drop(client)
            return false
        case .unknown:
            LastCalls.answer(descriptor, #"{"error":"org.varlink.service.MethodNotFound","parameters":{}}"#)
            drop(client)
            return false
        }
    }

    @_noAllocation private mutating func drop(_ client: Int) {
        let place = Self.firstClient + client
        guard descriptors[place] >= 0 else { return }
        LastCalls.close(descriptors[place])
        descriptors[place] = -1
    }
}
