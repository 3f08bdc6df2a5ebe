// SPDX-License-Identifier: GPL-3.0-or-later
import Disks

/// Which of the disks that hold the system partition is the one that this session was started from.
enum MediumChoice: Hashable {
    /// None yet.
    case none
    /// It is too early to tell.
    case wait
    /// This one.
    case use(Disk)
    /// Several that nothing tells apart.
    case ambiguous([Disk])

    /// What is known when a choice has to be made.
    struct Situation: Hashable {
        /// The disks that carry the system partition.
        var candidates: [Disk]
        /// What UEFI says it started from.
        var firmware: HardwareLocation?
        /// USB storage devices that have no disk yet: the medium, or a second one, may be among them.
        var pendingStorage = 0
        /// Whether there is a USB controller, on which a stick may still appear.
        var hasUSB = false
        /// Seconds since the first candidate was found.
        var secondsSinceFirst = 0.0
        /// Seconds since anything new appeared on USB.
        var secondsSinceUSB = Double.infinity
    }

    /// How long a choice that could still change is put off, in seconds. A USB stick announces itself within a second of
    /// its controller's start, and usb-storage waits one more before it reads.
    static let patience = 3.0
    /// How long USB has to be quiet before a disk inside the computer is taken for the medium, in seconds.
    static let quiet = 1.5

    /// Chooses. The firmware's word comes first, as it knows what it started. Then what people plug in wins over what is
    /// built in: a copy on an internal disk must not be mistaken for the stick. Between equals nothing is guessed,
    /// because the persistent storage of a stranger's stick would be opened.
    ///
    /// - Parameter situation: what is known.
    init(_ situation: Situation) {
        let candidates = situation.candidates
        guard !candidates.isEmpty else {
            self = .none
            return
        }
        let isPatient = situation.secondsSinceFirst < Self.patience
        if let firmware = situation.firmware {
            let named = candidates.filter { $0.location.mayBe(firmware) }
            if named.count == 1, situation.pendingStorage == 0 || !isPatient {
                self = .use(named[0])
                return
            }
        }
        if isPatient {
            let hasExternal = candidates.contains(where: \.isExternal)
            let mayStillCome = !hasExternal && situation.hasUSB && situation.secondsSinceUSB < Self.quiet
            if situation.pendingStorage > 0 || mayStillCome {
                self = .wait
                return
            }
        }
        let external = candidates.filter(\.isExternal)
        let best = external.isEmpty ? candidates : external
        self = best.count == 1 ? .use(best[0]) : .ambiguous(best)
    }
}
