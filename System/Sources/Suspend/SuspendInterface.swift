// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Varlink

/// The service's interface for programs.
enum SuspendInterface {
    static let name = "org.needletail.Suspend"
    static let socket = "/run/needletail/suspend.sock"

    static let text = """
        # Locking the screen, and sleeping with the memory kept
        interface org.needletail.Suspend

        # Locks all consoles; the administration password opens them.
        method Lock() -> ()

        # Locks all consoles and lets the computer sleep. Whoever calls this has told the user what stays in memory.
        method Suspend() -> ()

        # The screen could not be locked, so the computer stays awake.
        error NotLocked()

        # This computer cannot sleep, or something keeps it awake.
        error NotPossible()

        """

    /// Who may ask: root and the session's user.
    static let users: Set<UInt32> = [0, 1000]

    /// What is done to the computer; tests have their own.
    struct Actions: Sendable {
        var lock: @Sendable () -> Bool
        var isLocked: @Sendable () -> Bool
        var suspend: @Sendable () -> Bool

        static let system = Actions(
            lock: { Systemctl.lock() }, isLocked: { LockMark.system.isTrue },
            suspend: { Systemctl.suspend() })
    }

    static func error(_ name: String) -> VarlinkError { VarlinkError("\(Self.name).\(name)") }

    static func service(_ actions: Actions = .system, users: Set<UInt32> = users) throws -> VarlinkService {
        @Sendable func lock() async throws {
            guard actions.lock() else { throw error("NotLocked") }
            // The lock itself gives up after 4 seconds, and begins anew.
            for _ in 0..<60 {
                if actions.isLocked() { return }
                try await Task.sleep(for: .milliseconds(100))
            }
            throw error("NotLocked")
        }
        var service = try VarlinkService(product: "Needletail suspend", version: "1")
        try service.add(VarlinkInterface(text)) { methods in
            methods.answer("Lock") { (_: Nothing, caller) in
                try caller.require(users: users)
                try await lock()
                return Nothing()
            }
            methods.answer("Suspend") { (_: Nothing, caller) in
                try caller.require(users: users)
                try await lock()
                guard actions.suspend() else { throw error("NotPossible") }
                return Nothing()
            }
        }
        return service
    }
}
