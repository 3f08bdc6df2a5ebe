// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// All sentences that this part has for the user.
enum Messages {
    static func unknownPolicy(_ value: String) -> String {
        "The start option \(AddressPolicy.option)=\(value) is not known. Random addresses are used. "
            + "It can be random, vendor or permanent."
    }

    static let randomised = "Has a random hardware address."
    static let vendor = "Has a random hardware address that starts as its vendor's do."
    static let permanent =
        "Has its own hardware address, because you chose so at the start. The network can recognise this computer."

    static func failed(_ name: String, because reason: String) -> String {
        "The network interface \(name) stays off, because its hardware address could not be hidden: \(reason). "
            + "Nothing was sent through it. Use another network adapter, or restart and choose to show the address."
    }

    static func wasUp(_ name: String) -> String {
        "The network interface \(name) was switched off and stays off, because it was on before its hardware address could be "
            + "hidden. The network may have seen this computer's own address. Restart the computer."
    }

    static func notAdmitted(_ name: String, because reason: String) -> String {
        "The network interface \(name) stays off, because the firewall did not take it: \(reason). "
            + "Nothing was sent through it. Restart the computer."
    }

    static let noAddress = "it has no address of the usual kind"
    static let notKept = "the driver did not keep the new address"
    static let noIndex = "the system did not say which interface it is"

    static func refused(_ failure: some Error) -> String {
        "the driver refused it (\(ReportText.printable("\(failure)")))"
    }
}
