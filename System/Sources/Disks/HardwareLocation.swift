// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Where a disk is plugged in, in the terms that the firmware and Linux share: a chain of PCI devices, and then a
/// chain of USB ports or a SATA port.
public struct HardwareLocation: Hashable, Sendable {
    /// A PCI device and function number.
    public struct PCIFunction: Hashable, Sendable {
        /// The device's number on its bus, 0 to 31.
        public let device: UInt8
        /// The function of the device, 0 to 7.
        public let function: UInt8

        /// A function by its numbers.
        public init(device: UInt8, function: UInt8) {
            self.device = device
            self.function = function
        }
    }

    /// The PCI functions from the root on, bridges included.
    public var pci: [PCIFunction] = []
    /// The USB ports from the root hub on, counted from 1; empty when it is not on USB.
    public var usbPorts: [Int] = []
    /// How many ports each other root hub of the same controller has. The firmware counts the ports of an xHCI
    /// controller in one row, Linux those of USB 2 and USB 3 apart.
    public var otherRootHubPorts: [Int] = []
    /// The SATA port, counted from 0; `nil` when it is not on SATA or not known.
    public var sataPort: Int?

    /// A location from a chain of PCI functions and what follows.
    public init(pci: [PCIFunction] = [], usbPorts: [Int] = [], otherRootHubPorts: [Int] = [], sataPort: Int? = nil) {
        self.pci = pci
        self.usbPorts = usbPorts
        self.otherRootHubPorts = otherRootHubPorts
        self.sataPort = sataPort
    }

    /// Reads a resolved path of `/sys`, such as
    /// `/sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/2-3.1/2-3.1:1.0/host6/…`.
    ///
    /// - Parameter path: the path, links followed.
    public init(path: String) {
        for part in path.split(separator: "/") {
            if let function = PCIFunction(address: part) {
                pci.append(function)
            } else if let ports = Self.ports(part) {
                usbPorts = ports
            }
        }
    }

    /// Reads a resolved path and looks at its neighbours in `/sys`.
    ///
    /// - Parameter path: the path, links followed.
    public init(sysfs path: String) {
        self.init(path: path)
        let parts = path.split(separator: "/").map(String.init)
        for (index, part) in parts.enumerated() {
            let directory = "/" + parts[0...index].joined(separator: "/")
            if part.hasPrefix("ata"), let port = File.line("\(directory)/ata_port/\(part)/port_no").flatMap({ Int($0) })
            {
                sataPort = port - 1
            }
            if part.hasPrefix("usb"), !usbPorts.isEmpty {
                let controller = "/" + parts[0..<index].joined(separator: "/")
                for other in FileTree.names(in: controller) where other.hasPrefix("usb") && other != part {
                    if let count = File.line("\(controller)/\(other)/maxchild").flatMap({ Int($0) }) {
                        otherRootHubPorts.append(count)
                    }
                }
            }
        }
    }

    /// Whether the firmware's path may lead to this place. The firmware's port of a root hub may be counted behind
    /// those of the controller's other hub.
    public func mayBe(_ firmware: HardwareLocation) -> Bool {
        guard !firmware.pci.isEmpty, pci == firmware.pci else { return false }
        if !firmware.usbPorts.isEmpty {
            guard usbPorts.dropFirst() == firmware.usbPorts.dropFirst(), let own = usbPorts.first,
                let theirs = firmware.usbPorts.first
            else { return false }
            return theirs == own || otherRootHubPorts.contains { theirs == own + $0 }
        }
        if let theirs = firmware.sataPort, let own = sataPort { return theirs == own }
        return true
    }

    /// `2-3.1` gives 3 and 1; everything else, interfaces such as `2-3.1:1.0` too, gives `nil`.
    private static func ports(_ part: Substring) -> [Int]? {
        let sides = part.split(separator: "-", omittingEmptySubsequences: false)
        guard sides.count == 2, Int(sides[0]) != nil else { return nil }
        let ports = sides[1].split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        let valid = ports.compactMap { $0 }
        return valid.count == ports.count && !valid.isEmpty ? valid : nil
    }
}

extension HardwareLocation.PCIFunction {
    /// `0000:00:1f.2` gives 1f and 2.
    init?(address: Substring) {
        let parts = address.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count >= 4, parts[1].count == 2, parts[2].count == 4,
            UInt32(parts[0], radix: 16) != nil, UInt8(parts[1], radix: 16) != nil
        else { return nil }
        let last = parts[2].split(separator: ".")
        guard last.count == 2, let device = UInt8(last[0], radix: 16), let function = UInt8(last[1], radix: 16) else {
            return nil
        }
        self.init(device: device, function: function)
    }
}
