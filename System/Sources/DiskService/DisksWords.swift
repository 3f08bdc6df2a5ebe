// SPDX-License-Identifier: GPL-3.0-or-later
import Disks

/// Every sentence that a person reads, in one place.
enum DisksWords {
    static let usage = """
        needletail-disks: the disks of this computer, and what this session may do

          needletail-disks                     lists them
          needletail-disks open NAME           lets you read a disk or a part of it
          needletail-disks allow-writing NAME  lets you write to it, when it is open
          needletail-disks close NAME          takes that back
          needletail-disks lock                takes everything back

        Nothing on a disk is opened by itself, and nothing is written to any disk that
        was there when you started. All that you open is locked again when the session
        ends.

          --password-stdin                     (allow-writing) no question; the first
                                               line of the input is the password

        """

    static let none = "There is no disk that could be listed.\n"
    static let askAgain = "Type needletail-disks to see the names.\n"

    static func list(_ disks: [DisksInterface.DiskEntry]) -> String {
        disks.map { disk in
            var text = "\(disk.name)  \(title(disk))\n\(indented(state(disk)))"
            for partition in disk.partitions {
                let words = [
                    Disk.decimalSize(UInt64(max(0, partition.size))), partition.kind,
                    partition.label.map { "\"\($0)\"" },
                    access(partition.access),
                ]
                text += "    \(partition.name)  \(words.compactMap { $0 }.joined(separator: ", "))\n"
            }
            return text
        }.joined(separator: "\n")
    }

    /// What tells a disk from others: model, size, connection, serial number.
    static func title(_ disk: DisksInterface.DiskEntry) -> String {
        let bus = Disk.Bus(rawValue: disk.bus)?.title ?? disk.bus
        let size = disk.size > 0 ? Disk.decimalSize(UInt64(disk.size)) : "empty"
        let serial = disk.serial.isEmpty ? "no serial number" : "serial number \(disk.serial)"
        return [disk.model.isEmpty ? "unknown model" : disk.model, bus, size, serial].joined(separator: ", ")
    }

    private static func state(_ disk: DisksInterface.DiskEntry) -> String {
        let words = disk.detail.isEmpty ? (disk.state == "protected" ? "It is read-only." : disk.state) : disk.detail
        return access(disk.access).map { "\(words) (\($0))" } ?? words
    }

    /// A text in lines of at most 80 columns, 4 of them empty.
    static func indented(_ text: String) -> String {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.utf8.count + 1 + word.utf8.count <= 76 {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines.map { "    \($0)\n" }.joined()
    }

    private static func access(_ access: DisksInterface.Access) -> String? {
        switch access {
        case .closed: nil
        case .reading: "you can read it"
        case .writing: "you can WRITE to it"
        }
    }

    static func opened(_ name: String, _ path: String) -> String {
        """
        \(name) is open as \(path). Every program of this session
        can now read it, also what is private on it, until you type:
        needletail-disks close \(name)
        Nothing on it changes.

        """
    }

    static func writable(_ name: String, _ path: String) -> String {
        """
        \(name) can be written to, as \(path), until you type:
        needletail-disks close \(name)
        What you change there stays after you switch off, and can be found.

        """
    }

    static func question(_ name: String, _ disk: DisksInterface.DiskEntry) -> String {
        """

        YOU ARE ABOUT TO ALLOW WRITING TO A DISK OF THIS COMPUTER

          Disk           \(disk.model.isEmpty ? "unknown model" : disk.model)
          Size           \(Disk.decimalSize(UInt64(max(0, disk.size))))
          Serial number  \(disk.serial.isEmpty ? "none" : disk.serial)
          Part           \(name == disk.name ? "the whole disk" : name)

        What is written there stays when you switch off. It shows that this computer was
        used, and can destroy what is on the disk, above all when Windows there is only
        asleep. To save files, a stick that you plug in now is safer.

        """
    }

    static func typeName(_ name: String) -> String { "To go on, type the name \(name); to stop, just press Enter: " }
    static let stopped = "Nothing was changed.\n"
    static func closed(_ name: String) -> String {
        "\(name) is closed: no program of this session can open it any more.\n\(stillOpen)"
    }
    static let locked = "Everything is closed: no program of this session can open a disk.\n\(stillOpen)"
    private static let stillOpen = "A program that has it open already may go on until you quit it.\n"

    static let noDisk = "There is no disk of this name.\n"
    static let medium = "This computer was started from this disk. It stays as it is.\n"
    static let off = "This disk could not be protected, so it is switched off for this session.\n"
    static let notOpen = "Open it first, to see that it is the right one. Then ask again.\n"
    static let otherDisk = "Another disk has this name by now. Nothing was changed.\n"
    static let notConfirmed = "The password was not given in time. Nothing was changed.\n"
    static func failed(_ reason: String) -> String {
        "That did not work: \(reason).\nWhat is open now, you see when you type needletail-disks.\n"
    }
    static let notYours = "Only the user of this session may ask for disks.\n"
    static let noService = "The service for disks does not answer. The disks are as they were.\n"
}
