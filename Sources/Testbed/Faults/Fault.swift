// SPDX-License-Identifier: GPL-3.0-or-later

/// Something that goes wrong in a running session, or is made to.
public enum Fault: Sendable, Hashable, CustomStringConvertible {
    /// A service's main process is killed as when memory runs out, without any warning (SIGKILL).
    case killed(unit: String)
    /// A service is asked to end (SIGTERM).
    case ended(unit: String)
    /// A service stands still for a while (SIGSTOP, SIGCONT).
    case stalled(unit: String, seconds: Int)
    /// The real root flushes all rules of the session's namespace.
    case flushed
    /// The cable is pulled and put back.
    case unplugged(seconds: Int)
    /// The computer sleeps (S3) and wakes up.
    case slept(seconds: Int)

    /// For a person, and the key under which like faults are counted.
    public var kind: String {
        switch self {
        case .killed(let unit): "\(unit) killed"
        case .ended(let unit): "\(unit) ended"
        case .stalled(let unit, _): "\(unit) stalled"
        case .flushed: "session's rules flushed"
        case .unplugged: "cable out and in"
        case .slept: "suspend and resume"
        }
    }

    /// For a person.
    public var description: String {
        switch self {
        case .stalled(_, let seconds), .unplugged(let seconds), .slept(let seconds): "\(kind), \(seconds) s"
        default: kind
        }
    }
}

/// Faults by chance, the same ones for the same seed.
public struct FaultPlan: Sendable, Hashable {
    /// One fault, and how long the session is left alone before it.
    public struct Step: Sendable, Hashable {
        /// Milliseconds before it, so that it does not always meet the session in the same state.
        public let pause: Int
        /// What happens.
        public let fault: Fault
    }

    /// What gives the same plan again.
    public let seed: UInt64
    /// The faults in order.
    public let steps: [Step]

    /// Draws faults. Each service is hit alike often; Tor and NetworkManager, on which all hangs, twice as often.
    ///
    /// - Parameters:
    ///   - seed: Any number.
    ///   - count: How many faults, 1…10000.
    ///   - units: The services that there are.
    ///   - sleeps: Whether the machine can be suspended.
    ///   - first: What comes first, whatever the seed.
    public init(seed: UInt64, count: Int, units: [String], sleeps: Bool, first: [Fault] = []) {
        self.seed = seed
        var chance = Chance(seed: seed)
        let weighted = units + units.filter { $0.hasPrefix("tor@") || $0.hasPrefix("NetworkManager") }
        steps = (0..<max(1, min(count, 10_000))).map { index in
            let pause = Int.random(in: 0...3000, using: &chance)
            if index < first.count { return Step(pause: pause, fault: first[index]) }
            let unit = weighted.randomElement(using: &chance) ?? "tor@default.service"
            let fault: Fault =
                switch Int.random(in: 0..<20, using: &chance) {
                case 0..<9: .killed(unit: unit)
                case 9..<12: .ended(unit: unit)
                case 12..<15: .stalled(unit: unit, seconds: Int.random(in: 1...5, using: &chance))
                case 15..<17: .flushed
                case 19 where sleeps: .slept(seconds: Int.random(in: 2...8, using: &chance))
                default: .unplugged(seconds: Int.random(in: 1...10, using: &chance))
                }
            return Step(pause: pause, fault: fault)
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): numbers that look like chance, the same ones for the same seed on every machine.
struct Chance: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
