// SPDX-License-Identifier: GPL-3.0-or-later

/// What can be asked at `/run/needletail/emergency.sock`: two messages of Varlink (varlink.org), compared byte for byte, because
/// reading JSON takes memory. `varlinkctl` writes them in one of these forms.
enum Request {
    /// `org.needletail.Emergency.Start`
    case start
    /// `org.needletail.Emergency.GetState`
    case state
    /// Something else.
    case unknown
    /// The end of the message is not there yet.
    case incomplete

    /// The most bytes that a message has.
    static var limit: Int { @_noAllocation get { 256 } }

    /// Who may ask: root and the user of the session. Everybody else in the system has an account of his own, and no reason.
    @_noAllocation static func isAllowed(user: UInt32) -> Bool { user == 0 || user == 1000 }

    /// Reads what has arrived.
    @_noAllocation static func read(_ bytes: UnsafeRawBufferPointer) -> Request {
        var end = 0
        while end < bytes.count, bytes[end] != 0 { end += 1 }
        guard end < bytes.count else { return bytes.count >= limit ? .unknown : .incomplete }
        let message = UnsafeRawBufferPointer(rebasing: bytes[0..<end])
        if DeviceEvent.equals(message, #"{"method":"org.needletail.Emergency.Start"}"#)
            || DeviceEvent.equals(message, #"{"method":"org.needletail.Emergency.Start","parameters":{}}"#)
        {
            return .start
        }
        if DeviceEvent.equals(message, #"{"method":"org.needletail.Emergency.GetState"}"#)
            || DeviceEvent.equals(message, #"{"method":"org.needletail.Emergency.GetState","parameters":{}}"#)
        {
            return .state
        }
        return .unknown
    }
}
