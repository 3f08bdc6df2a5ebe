// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

extension Machine {
    /// Plugs a USB stick in.
    ///
    /// - Parameter drive: The stick, attached to USB, with a name that no part of the machine has.
    /// - Throws: `MachineFailure` when it cannot be; the machine is then as before.
    public func plug(_ drive: Drive) async throws {
        try drive.validate()
        guard case .usb = drive.attachment else {
            throw MachineFailure(
                .noSuchPart, "Only USB sticks can be plugged in while the machine runs, not '\(drive.name)'.")
        }
        try await arguments.prepare(drive) { executable, words, _, _ in tool(executable, words) }
        try await execute("blockdev-add", arguments.content(of: drive))
        do {
            try await execute("device_add", arguments.device(for: drive))
        } catch {
            _ = try? await execute("blockdev-del", ["node-name": .string(drive.node)])
            throw error
        }
    }

    /// Pulls a stick out, whatever the guest is doing with it. What the guest wrote is lost unless the drive keeps writes.
    ///
    /// - Parameter name: The drive's name, from the description or from `plug`.
    /// - Throws: `MachineFailure` when there is no such drive or it cannot be pulled.
    public func unplug(_ name: String) async throws {
        let count = events.count
        try await execute("device_del", ["id": .string(name)])
        try await wait(forEvent: "DEVICE_DELETED", after: count, within: .seconds(30)) {
            $0.data["device"]?.text == name
        }
        // Writes that are under way hold the content for a moment longer.
        let node: JSONValue = ["node-name": .string("\(name)-content")]
        let isGone = try await poll(for: .seconds(10)) { (try? await execute("blockdev-del", node)) }
        if isGone == nil { try await execute("blockdev-del", node) }
    }

    /// Plugs a network adapter into USB. Its tap device names it.
    ///
    /// - Parameter card: The adapter, of the model `.usb`.
    /// - Throws: `MachineFailure` when it cannot be; the machine is then as before.
    public func plug(_ card: NetworkCard) async throws {
        try card.validate()
        guard card.model == .usb else {
            throw MachineFailure(.noSuchPart, "Only USB adapters can be plugged in while the machine runs.")
        }
        let backEnd: JSONValue = .string(arguments.backEnd(card.tap))
        try await execute(
            "netdev_add",
            ["type": "tap", "id": backEnd, "ifname": .string(card.tap), "script": "no", "downscript": "no"])
        do {
            try await execute("device_add", arguments.device(for: card, id: card.tap))
        } catch {
            _ = try? await execute("netdev_del", ["id": backEnd])
            throw error
        }
    }

    /// Pulls a network adapter out of USB.
    ///
    /// - Parameter card: What was plugged in.
    /// - Throws: `MachineFailure` when it is not there or cannot be pulled.
    public func unplug(_ card: NetworkCard) async throws {
        let count = events.count
        try await execute("device_del", ["id": .string(card.tap)])
        try await wait(forEvent: "DEVICE_DELETED", after: count, within: .seconds(30)) {
            $0.data["device"]?.text == card.tap
        }
        try await execute("netdev_del", ["id": .string(arguments.backEnd(card.tap))])
    }

    /// Plugs the network cable in or pulls it. A card of the model `.e1000e` tells the guest nothing of it.
    ///
    /// - Parameters:
    ///   - card: The card that it is in; the first when `nil`.
    ///   - plugged: Whether it is in.
    /// - Throws: `MachineFailure` when there is no such card.
    public func setCable(of card: NetworkCard? = nil, plugged: Bool) async throws {
        try await execute("set_link", ["name": .string(card?.tap ?? "network"), "up": .bool(plugged)])
    }

    /// Presses the power button: the guest is asked to switch off.
    public func pressPowerButton() async throws { try await execute("system_powerdown") }

    /// Resets the machine, as its button does.
    public func reset() async throws { try await execute("system_reset") }

    /// Stops the processors; nothing in the guest moves until `resume()`.
    public func pause() async throws { try await execute("stop") }

    /// Lets the processors go on.
    public func resume() async throws { try await execute("cont") }
}
