// SPDX-License-Identifier: GPL-3.0-or-later

/// All that this service says to people, in one place for translators.
enum Words {
    static let noDate = "it gave no date that can be read"
    static let notReached = "it was not reached"
    static let noAnswer = "it did not answer in time"
    static let noEncryption = "no encrypted connection came about"
    static let badCertificate = "its certificate is not right at the time that this clock shows"
    static func curl(_ status: Int32) -> String { "curl failed with \(status)" }

    static func step(from: Moment, to: Moment, _ reason: Estimator.Reason) -> String {
        "The clock stood at \(from) and was set to \(to) UTC: \(cause(reason))."
    }
    static func cause(_ reason: Estimator.Reason) -> String {
        switch reason {
        case .tooEarly:
            "it cannot be earlier, because the system was built then, or the Tor network said so with its signatures"
        case .implausible: "it stood so far in the future that it must be wrong"
        case .relays(1): "a relay of the Tor network has this time"
        case .relays(let count): "\(count) relays of the Tor network have this time"
        case .expiredCertificates: "relays of the Tor network show that it is earlier; the search goes on from here"
        case .unbornCertificates: "relays of the Tor network show that it is later; the search goes on from here"
        }
    }
    static func surveyed(_ seconds: Double, _ agreeing: Int, _ of: Int) -> String {
        let amount = tenths(seconds)
        return "\(agreeing) of \(of) web sites of independent operators agree: the clock was \(amount) s "
            + (seconds > 0 ? "behind" : "ahead") + "."
    }
    static func kept(_ seconds: Double, _ agreeing: Int, _ of: Int) -> String {
        "\(agreeing) of \(of) web sites of independent operators agree that the clock is right, but for \(tenths(seconds)) s."
    }
    static func outlier(_ answer: Survey.Answer) -> String {
        "The time of \(answer.host) (\(answer.operatorName)) differs by \(tenths(answer.correction)) s and was not used."
    }
    static func silent(_ failure: Surveyor.Failure) -> String {
        "\(failure.host) (\(failure.operatorName)) was asked for the time: \(failure.words)."
    }
    static let tooFew =
        "Fewer than three operators of web sites gave the time. The clock stays as it is; they will be asked again."
    static let disagreement =
        "The web sites do not agree on the time. The clock stays as it is; they will be asked again."
    static func notSet(_ error: some Error) -> String { "The clock could not be set. \(error)" }
    static func noSources(_ error: some Error) -> String {
        "The list of web sites that know the time cannot be read. \(error)"
    }
    static func noReload(_ error: some Error) -> String {
        "Tor was not told that the clock has changed; it may take a while to connect. \(error)"
    }
    static func outOfBounds(_ moment: Moment) -> String {
        "The web sites agree on \(moment) UTC, which is not possible. The clock stays as it is."
    }

    /// A number with one digit after the point.
    static func tenths(_ value: Double) -> String {
        guard value.isFinite else { return "?" }
        let tenths = Int64((min(abs(value), 1e12) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
