// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    /// One start behind a router that wants a login first. The steps follow each other as they would for a user, so they are one
    /// test; each comment says what the user gets.
    @Suite("A network with a login page", .serialized, .turn)
    struct LoginPage {
        /// A shorter limit than the user's ten minutes.
        static let limit = 100

        @Test("is logged in to after a yes on the question's own screen, in clear only while the page is open")
        func login() async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                var plan = Trial.Plan(image: image.stick, attachment: .virtio, firmware: .bios, memory: 1024)
                plan.credentials = [
                    .dropIn(
                        for: "needletail-portal.service",
                        "[Service]\nExecStart=\nExecStart=/usr/lib/needletail/portal serve --seconds \(Self.limit)\n")
                ]
                let (story, evidence) = try await CaptiveTrial.with(plan, work: work.appending("t")) { trial in
                    var story = LoginStory(trial)
                    do { try await story.tell() } catch { throw story.explained(error) }
                    return story
                }
                #expect(evidence.dropped == 0)
                let whole = evidence.verdict(windows: story.windows, in: .init(from: 0, to: story.breach))
                print("Frames behind the router:\n\(whole)")
                #expect(whole.isClean, "Something was in clear while the login page was not open:\n\(whole)")
                #expect((whole.allowed["Portal pages"] ?? 0) > 4 && (whole.allowed["Portal names"] ?? 0) > 0)
                #expect((whole.allowed["Tor"] ?? 0) > 10)
                // Who ignores the windows sees the browser's frames: the list has not become wider for good.
                let blind = evidence.verdict(windows: [], in: .init(from: 0, to: story.breach))
                #expect(!blind.isClean)
                // What root opened by hand, without the service and without a question.
                let breach = evidence.verdict(windows: story.windows, in: .init(from: story.breach, to: .max))
                #expect(
                    breach.findings.contains { $0.line.contains("\(Address.router):80") },
                    "A door opened by hand was not seen:\n\(breach)")
            }
        }
    }
}

/// What happens, step by step.
struct LoginStory: Sendable {
    private let trial: CaptiveTrial
    private var machine: Machine { trial.trial.machine }
    /// When the page was open, by the maker's clock.
    private(set) var windows: [CaptiveTrial.Window] = []
    /// When root opened the door by hand.
    private(set) var breach = UInt64.max
    private var step = "start"
    private let start = ContinuousClock.now

    init(_ trial: CaptiveTrial) { self.trial = trial }

    func explained(_ error: any Error) -> LoginFailure { LoginFailure(step: step, cause: "\(error)") }

    private mutating func begin(_ words: String) {
        step = words
        print("login page, \((ContinuousClock.now - start).components.seconds) s: \(words)")
    }

    private func output(_ script: String, timeout: Duration = .seconds(60)) async throws -> String {
        try await machine.shell.run(script, timeout: timeout).output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A command of the session, where the session is.
    private func asUser(_ script: String, timeout: Duration = .seconds(60)) async throws -> GuestShell.Answer {
        let quoted = script.replacing("'", with: "'\\''")
        return try await machine.shell.run(
            "nsenter --net=/run/netns/session runuser -u user -- sh -c '\(quoted)'", timeout: timeout)
    }

    private func wait(_ words: String, _ script: String, seconds: Int = 60) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            if try await machine.shell.run(script).status == 0 { return }
            try await Task.sleep(for: .milliseconds(300))
        }
        let journal = try await output(
            "journalctl --no-pager -o cat -u 'needletail-portal*' -u needletail-connection | tail -n 30; cat /sys/class/tty/tty0/active; for v in 1 8 9; do tr -s ' ' < /dev/vcs$v; echo; done"
        )
        throw LoginFailure(
            step: words, cause: "It did not come. \(journal) \((try? await machine.screenshot())?.string ?? "")")
    }

    /// What is on a console, as the kernel has it.
    private func console(_ number: Int) async throws -> String { try await output("cat /dev/vcs\(number)") }

    /// The door as the kernel has it: elements of the sets, and whether the link is up.
    private func door() async throws -> String {
        try await output(
            "nft list set inet needletail portal | grep -c timeout.*expires; ip -br link show to-portal | grep -c UP; pgrep -c -u needletail-portal w3m || true"
        ).replacing("\n", with: " ")
    }

    private static let closed = "0 0 0"

    mutating func tell() async throws {
        begin("wait for the machine and its address")
        try await machine.shell.waitUntilReady(within: .seconds(240))
        try await wait("an address", "ip -4 route show default | grep -q via", seconds: 90)
        try await wait(
            "the user's console", "pgrep -u user bash >/dev/null || pgrep -u user sh > /dev/null", seconds: 90)

        begin("the session cannot go round the question")
        try await attempts()

        begin("ask, and say no")
        try await ask()
        try await machine.sendKeys(["ret"])
        try await wait("the old screen", "grep -q tty1 /sys/class/tty/tty0/active")
        #expect(try await door() == Self.closed)
        try await wait("words about the no", "grep -a -q 'The answer was no' /dev/vcs1")
        let early = try await asUser("needletail-login-page")
        #expect(early.output.contains("a moment ago"), "\(early)")
        try await Task.sleep(for: .seconds(15))

        begin("ask, and say yes")
        try await open()
        let page = try await machine.screenshot()
        print("login page: the page is in \(page)")
        if let kept = ProcessInfo.processInfo.environment["NEEDLETAIL_PICTURES"] {
            try? FileManager.default.copyItem(atPath: page.string, toPath: "\(kept)/login-page.png")
        }
        try await attempts()
        #expect(try await asUser("needletail-login-page --state").output.contains("open"))
        try await insideThePortal()
        begin("press the page's button")
        try await machine.sendKeys(["tab"])
        try await machine.sendKeys(["ret"])
        // Tor may connect at once, and the page is closed then.
        try await wait(
            "the page after the login",
            "grep -a -q '\(CaptiveRouter.words.done)' /dev/vcs9 || grep -q tty1 /sys/class/tty/tty0/active")
        try await machine.sendKeys(["q"])
        try await closed("quit")
        #expect(try trial.router.hasLogin())
        #expect(try trial.router.requests().allSatisfy { $0.contains("Firefox") })
        #expect(try await output("ls -A /run/needletail-portal 2>/dev/null | grep -v resolv.conf") == "")

        begin("Tor connects, and then nobody is asked")
        _ = try await trial.trial.waitForTor(within: .seconds(120))
        try await wait(
            "the connection service's word",
            "varlinkctl call /run/needletail/connection.sock org.needletail.Connection.GetState '{}' | grep -q '\"connected\"'"
        )
        let refused = try await asUser("needletail-login-page")
        #expect(refused.status == 1 && refused.output.contains("Tor is connected"), "\(refused)")

        begin("the time limit")
        try await trial.router.forget()
        _ = try await output(
            "varlinkctl call /run/needletail/connection.sock org.needletail.Connection.Disconnect '{}'")
        try await open()
        try await Task.sleep(for: .seconds(SystemTests.LoginPage.limit - 5))
        try await closed("time limit")
        // The service has ended since, and forgotten what was; its log has not.
        let log = try await output("journalctl --no-pager -o cat -u needletail-portal | grep 'login page:' | tail -n 2")
        #expect(log.contains("login page: timeLimit"), "\(log)")

        begin("the service is killed")
        try await open()
        _ = try await output("systemctl kill -s KILL needletail-portal.service")
        try await closed("killed")

        begin("a door opened by hand is seen")
        breach = CaptiveTrial.now
        _ = try await output(
            """
            card=$(ip -4 route show default | sed 's/.* dev \\([^ ]*\\).*/\\1/')
            nft "add element inet needletail portal { \\"$card\\" timeout 60s }"
            for c in $card to-portal; do echo 1 > /proc/sys/net/ipv4/conf/$c/forwarding; done
            ip link set to-portal up; ip route add 10.77.0.4/30 dev to-portal src 10.77.0.5 table 77
            nsenter --net=/run/netns/portal setpriv --reuid needletail-portal --clear-groups curl -s --max-time 5 http://\(Address.router)/
            """)
    }

    /// Asks as the user does, on the first console, and waits until the question is on the screen.
    private func ask() async throws {
        try await machine.sendKeys(["ctrl", "c"])
        try await machine.type("clear\nneedletail-login-page\n")
        try await wait(
            "the question", "grep -q tty8 /sys/class/tty/tty0/active && cat /dev/vcs8 | grep -q 'To agree'")
        // What is typed in the first moments counts for nothing.
        try await Task.sleep(for: .seconds(2))
    }

    private mutating func open() async throws {
        try await ask()
        let question = try await console(8)
        let code = question.split(separator: "type  ").last.map { String($0.prefix(4)) } ?? ""
        #expect(code.utf8.count == 4 && Int(code) != nil, "\(question)")
        if windows.isEmpty, let kept = ProcessInfo.processInfo.environment["NEEDLETAIL_PICTURES"] {
            _ = try? await machine.screenshot(to: FilePath("\(kept)/login-question.png"))
        }
        let begin = CaptiveTrial.now
        windows.append(.init(from: begin, to: .max))
        try await machine.type("\(code)\n")
        try await wait(
            "the login page",
            "grep -q tty9 /sys/class/tty/tty0/active && cat /dev/vcs9 | grep -q '\(CaptiveRouter.words.welcome)'"
        )
        #expect(try await door() == "1 1 1")
    }

    private mutating func closed(_ why: String) async throws {
        try await wait(
            "the end (\(why))",
            "! nft list set inet needletail portal | grep -q expires && ! ip -br link show to-portal | grep -q UP && ! pgrep -u needletail-portal >/dev/null",
            seconds: 20)
        windows[windows.count - 1] = .init(from: windows[windows.count - 1].start, to: CaptiveTrial.now)
        try await wait("the old screen", "grep -q tty1 /sys/class/tty/tty0/active")
        #expect(try await output("ip -4 route show table 77 | grep -c to-portal || true") == "0")
        #expect(try await output("cat /proc/sys/net/ipv4/conf/to-portal/forwarding") == "0")
    }

    /// What the session may try, before and while the page is open. Packets are the judge's matter.
    private func attempts() async throws {
        for script in [
            "nsenter --net=/run/netns/portal true",
            "unshare -Ur nsenter --net=/run/netns/portal true",
            "systemctl --no-ask-password start needletail-portal-browser.service",
            "systemctl --no-ask-password start needletail-portal-consent.service",
            "busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartUnit ss needletail-portal-browser.service replace",
            "varlinkctl call /run/needletail/portal-browser.sock org.needletail.PortalBrowser.Browse '{\"address\":\"http://192.0.2.1/\",\"seconds\":9,\"display\":1}'",
            "varlinkctl call /run/needletail/portal-consent.sock org.needletail.PortalConsent.Ask '{\"network\":\"x\",\"seconds\":9,\"limit\":9}'",
            "echo 1234 > /dev/tty8", "echo q > /dev/tty9", "head -c 1 /dev/vcs8", "head -c 1 /dev/vcs9",
            "head -c 1 /dev/input/event0",
            "echo 'nameserver 192.0.2.1' > /run/needletail-portal/resolv.conf",
            "ip link set to-portal up", "nft list ruleset | grep -q portal",
            "curl -s --max-time 4 --interface 10.77.0.6 http://192.0.2.1/", "curl -s --max-time 4 http://10.77.0.6/",
            "curl -s --max-time 4 http://10.77.0.5/", "ip route add 192.0.2.0/24 via 10.77.0.6",
        ] {
            let answer = try await asUser("timeout 8 \(script)")
            #expect(answer.status != 0, "\(script): \(answer)")
        }
    }

    /// The browser sees nothing but the network.
    private func insideThePortal() async throws {
        let process = try await output("pgrep -u needletail-portal w3m | head -n 1")
        let root = "/proc/\(process)/root"
        let namespace = try await output("stat -L -c 'net:[%i]' /run/netns/portal")
        #expect(try await output("readlink /proc/\(process)/ns/net") == namespace)
        #expect(try await output("grep CapEff /proc/\(process)/status") == "CapEff:\t0000000000000000")
        let seen = try await output("ls -A \(root)/run \(root)/home \(root)/root \(root)/var")
        for word in ["needletail", "dbus", "user", "tor", "NetworkManager", "lib"] {
            #expect(!seen.contains("\n\(word)"), "\(seen)")
        }
        #expect(try await output("nsenter --net=/run/netns/portal ip -br link show lo | grep -c UP || true") == "0")
        // Entering the browser's mounts, nothing can be started there.
        #expect(try await machine.shell.run("nsenter --mount --target \(process) /bin/true").status != 0)
        #expect(try await output("cat \(root)/etc/resolv.conf").contains("nameserver \(Address.router)"))
        // Not even from there to this computer's other sides.
        for address in ["10.77.0.5:9050", "10.77.0.1:9050", "10.77.0.2:22", "127.0.0.1:80"] {
            let answer = try await machine.shell.run(
                "nsenter --net=/run/netns/portal setpriv --reuid needletail-portal --clear-groups curl -s --max-time 3 http://\(address)/"
            )
            #expect(answer.status != 0, "\(address)")
        }
    }
}

/// A step that failed.
struct LoginFailure: Error, CustomStringConvertible {
    let step: String
    let cause: String
    var description: String { "\(step): \(cause)" }
}
