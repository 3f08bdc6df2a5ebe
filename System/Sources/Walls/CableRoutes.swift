// SPDX-License-Identifier: GPL-3.0-or-later

extension Walls {
    /// The table of routes for the virtual cables. It is looked at before the main table, so that no route that a network hands
    /// out by DHCP can lead these packets anywhere else. Who switches a cable on adds its route here; the kernel removes it when
    /// the cable is switched off.
    public static let cableRoutes: UInt8 = 77
}
