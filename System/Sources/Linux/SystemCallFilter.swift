// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// A list of system calls that a process gives up for good, with all that come from it. See `man 2 seccomp`.
///
/// A list of what is refused, on top of the list of what is allowed that systemd has set for the whole service.
public struct SystemCallFilter: Sendable {
    /// What is refused, and what the caller is told.
    public enum Rule: Sendable, Hashable {
        /// Never.
        case refuse(String, ErrorNumber = .notPermitted)
        /// When one of these bits is set in an argument (0 to 5), of which the low 32 bits count.
        case refuseBits(String, argument: Int, bits: UInt32)
        /// When an argument (0 to 5) has this value in its low 32 bits.
        case refuseValue(String, argument: Int, value: UInt32)

        var call: String {
            switch self {
            case .refuse(let call, _), .refuseBits(let call, _, _), .refuseValue(let call, _, _): call
            }
        }
    }

    /// The program, as `clinux_filter_system_calls` wants it.
    public let instructions: [UInt64]

    /// Makes a filter.
    ///
    /// - Parameter rules: at most 100.
    /// - Throws: ``SystemCallFailure`` for a call whose number is not known here: a wrong name must not leave a door open.
    public init(_ rules: [Rule]) throws(SystemCallFailure) {
        var program: [UInt64] = []
        let allow = Self.word(0x06, operand: 0x7fff_0000)
        func refuse(_ number: ErrorNumber) -> UInt64 {
            Self.word(0x06, operand: 0x0005_0000 | UInt32(number.rawValue) & 0xffff)
        }
        // struct seccomp_data: number at 0, architecture at 4, arguments from 16 on, 8 bytes each.
        // Calls of another architecture have other numbers: AUDIT_ARCH_X86_64 only, and nothing of x32.
        program.append(Self.word(0x20, operand: 4))
        program.append(Self.word(0x15, ifTrue: 1, operand: 0xc000_003e))
        program.append(refuse(.notPermitted))
        program.append(Self.word(0x20, operand: 0))
        program.append(Self.word(0x35, ifFalse: 1, operand: 0x4000_0000))
        program.append(refuse(.notPermitted))
        for rule in rules {
            let number = clinux_system_call_number(rule.call)
            guard number >= 0, rules.count <= 100 else {
                throw SystemCallFailure(call: "seccomp", object: rule.call, number: .invalidArgument)
            }
            let isCall = { (skip: UInt64) in Self.word(0x15, ifFalse: skip, operand: UInt32(number)) }
            switch rule {
            case .refuse(_, let reason):
                program += [isCall(1), refuse(reason)]
            case .refuseBits(_, let argument, let bits):
                program += [
                    isCall(4), Self.argument(argument), Self.word(0x45, ifFalse: 1, operand: bits),
                    refuse(.notPermitted), Self.word(0x20, operand: 0),
                ]
            case .refuseValue(_, let argument, let value):
                program += [
                    isCall(4), Self.argument(argument), Self.word(0x15, ifFalse: 1, operand: value),
                    refuse(.notPermitted), Self.word(0x20, operand: 0),
                ]
            }
        }
        program.append(allow)
        instructions = program
    }

    /// Puts the filter in force for this process, for ever.
    ///
    /// - Throws: ``SystemCallFailure``.
    public func apply() throws(SystemCallFailure) {
        try check("seccomp", "\(instructions.count) instructions") {
            clinux_filter_system_calls(instructions, instructions.count)
        }
    }

    private static func argument(_ index: Int) -> UInt64 { word(0x20, operand: UInt32(16 + 8 * index)) }

    private static func word(
        _ code: UInt64, ifTrue: UInt64 = 0, ifFalse: UInt64 = 0, operand: UInt32
    ) -> UInt64 {
        code | ifTrue << 16 | ifFalse << 24 | UInt64(operand) << 32
    }
}
