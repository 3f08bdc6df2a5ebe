// SPDX-License-Identifier: GPL-3.0-or-later
import Glibc

/// The number with which a system call says why it failed. See `man 3 errno`.
public struct ErrorNumber: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The value of `errno`.
    public let rawValue: Int32

    /// Wraps a value of `errno`.
    ///
    /// - Parameter rawValue: the value.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// No such file or directory.
    public static let noEntry = ErrorNumber(rawValue: ENOENT)
    /// Something is there already.
    public static let exists = ErrorNumber(rawValue: EEXIST)
    /// Input/output error.
    public static let inputOutput = ErrorNumber(rawValue: EIO)
    /// Device or resource busy.
    public static let busy = ErrorNumber(rawValue: EBUSY)
    /// Nothing there yet: try again.
    public static let wouldBlock = ErrorNumber(rawValue: EAGAIN)
    /// Interrupted by a signal.
    public static let interrupted = ErrorNumber(rawValue: EINTR)
    /// No buffer space: messages were lost.
    public static let noBufferSpace = ErrorNumber(rawValue: ENOBUFS)
    /// No such device or address.
    public static let noDevice = ErrorNumber(rawValue: ENODEV)
    /// No medium in the drive.
    public static let noMedium = ErrorNumber(rawValue: ENOMEDIUM)
    /// Nobody reads what is written.
    public static let brokenPipe = ErrorNumber(rawValue: EPIPE)
    /// Not allowed.
    public static let notPermitted = ErrorNumber(rawValue: EPERM)
    /// Bad argument.
    public static let invalidArgument = ErrorNumber(rawValue: EINVAL)
    /// This kernel does not have the call.
    public static let notImplemented = ErrorNumber(rawValue: ENOSYS)

    static var current: ErrorNumber { ErrorNumber(rawValue: errno) }

    /// The C library's words, such as `No such file or directory`.
    public var description: String { String(cString: strerror(rawValue)) }
}

/// A system call that failed: which one, on what, and why.
public struct SystemCallFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call by the name of its manual page, such as `mount`.
    public let call: String
    /// What it was asked to work on.
    public let object: String
    /// Why it failed.
    public let number: ErrorNumber

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - call: the call by the name of its manual page.
    ///   - object: what it was asked to work on.
    ///   - number: why it failed.
    public init(call: String, object: String, number: ErrorNumber) {
        self.call = call
        self.object = object
        self.number = number
    }

    /// For example `mount /dev/dm-1: Input/output error (5)`.
    public var description: String { "\(call) \(object): \(number) (\(number.rawValue))" }
}

/// Turns the -1 of a system call into an error, and repeats a call that a signal interrupted.
@discardableResult
func check<Value: SignedInteger>(
    _ call: String, _ object: @autoclosure () -> String, _ body: () -> Value
) throws(SystemCallFailure) -> Value {
    while true {
        let result = body()
        if result != -1 { return result }
        let number = ErrorNumber.current
        if number == .interrupted { continue }
        throw SystemCallFailure(call: call, object: object(), number: number)
    }
}
