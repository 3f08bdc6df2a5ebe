// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl

/// Feeds hostile bytes to everything that reads a stranger's time, and traps when a promise is broken. For fuzzing (`make fuzz`) and
/// for the test that runs the corpus; nothing else calls it.
public enum ClockProbe {
    /// Reads bytes as the answer of a web site, as lines of Tor's log, as dates of every form, and as what Tor's control port says.
    public static func words(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let reply = DateQuestion.reply(text) {
            check(reply.date)
            precondition(
                (0...DateQuestion.slowest).contains(reply.roundTrip) && reply.middle >= 0
                    && reply.middle <= reply.total,
                "an answer before its question")
        }
        for line in text.split(separator: "\n").prefix(64).map(String.init) {
            for moment in [Moment(httpDate: line), Moment(torDate: line), Moment(certificateDate: line)] {
                if let moment { check(moment) }
            }
            check(Evidence(warning: line))
            if let bootstrap = Bootstrap(phase: line) { check(Evidence(bootstrap)) }
        }
        var parser = ReplyParser()
        for reply in (try? parser.append(bytes[...])) ?? [] where reply.isEvent { check(Evidence(Event(reply))) }
    }

    private static func check(_ moment: Moment) {
        precondition((0...Moment.last).contains(moment.seconds), "a moment out of range")
        precondition(Moment(torDate: moment.description) == moment, "a moment is read as another")
    }

    private static func check(_ evidence: Evidence?) {
        switch evidence {
        case .skew(let ahead, let source):
            precondition(
                ahead.magnitude < Evidence.largestSkew.magnitude && source.count <= 64, "a skew nobody believes")
        case .certificateNotYetValid(let from, let through):
            check(from)
            check(through)
            precondition(from < through, "a certificate that ends before it starts")
        default: break
        }
    }
}
