// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Terminals and pseudo terminals. See `man 7 pty` and `man 3 termios`.
public enum Terminal {
    /// The size of a terminal's window in characters.
    public struct Window: Hashable, Sendable {
        /// Lines, 1 to 1000.
        public var rows: UInt16
        /// Characters in a line, 1 to 1000.
        public var columns: UInt16

        /// A size; what is out of range becomes 24 by 80.
        public init(rows: Int, columns: Int) {
            self.rows = (1...1000).contains(rows) ? UInt16(rows) : 24
            self.columns = (1...1000).contains(columns) ? UInt16(columns) : 80
        }
    }

    /// How a terminal was before it was changed.
    public struct State: Sendable {
        fileprivate var value = clinux_terminal_state()
    }

    /// Makes a pseudo terminal.
    ///
    /// - Parameter multiplexer: the path of `ptmx`.
    /// - Returns: the controlling end, which does not block, and the other; the caller closes both.
    /// - Throws: ``SystemCallFailure``.
    public static func open(
        multiplexer: String = "/dev/ptmx"
    ) throws(SystemCallFailure) -> (controller: Int32, terminal: Int32) {
        var controller: Int32 = -1, terminal: Int32 = -1
        try check("open", multiplexer) { clinux_open_terminal(multiplexer, &controller, &terminal) }
        return (controller, terminal)
    }

    /// Whether a descriptor is a terminal.
    public static func isTerminal(_ descriptor: Int32) -> Bool { clinux_is_terminal(descriptor) == 1 }

    /// The window's size; `nil` when it has none.
    public static func window(of terminal: Int32) -> Window? {
        var rows: UInt16 = 0, columns: UInt16 = 0
        guard clinux_get_window(terminal, &rows, &columns) == 0, rows > 0, columns > 0 else { return nil }
        return Window(rows: Int(rows), columns: Int(columns))
    }

    /// Sets the window's size, and tells the programs in it.
    public static func setWindow(_ window: Window, of terminal: Int32) {
        _ = clinux_set_window(terminal, window.rows, window.columns)
    }

    /// Each key goes to the reader as it is.
    ///
    /// - Returns: what ``restore(_:_:)`` takes.
    public static func makeRaw(_ terminal: Int32) throws(SystemCallFailure) -> State {
        var state = State()
        try check("tcsetattr", "terminal") { clinux_raw_terminal(terminal, &state.value) }
        return state
    }

    /// What is typed is not shown; what was typed before is dropped.
    ///
    /// - Returns: what ``restore(_:_:)`` takes.
    public static func makeSilent(_ terminal: Int32) throws(SystemCallFailure) -> State {
        var state = State()
        try check("tcsetattr", "terminal") { clinux_silent_terminal(terminal, &state.value) }
        return state
    }

    /// Makes a terminal what it was.
    public static func restore(_ terminal: Int32, _ state: State) {
        var value = state.value
        _ = clinux_restore_terminal(terminal, &value)
    }
}
