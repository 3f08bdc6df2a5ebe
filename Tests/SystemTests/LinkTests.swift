// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    /// Networks that lie, cards that come and go, cables that move: one start in which the local network is an attacker's.
    @Suite("A hostile local network", .serialized, .turn)
    struct Link {
        static let second = MACAddress([0x52, 0x54, 0x00, 0x4E, 0x54, 0x02]) ?? .zero
        static let third = MACAddress([0x52, 0x54, 0x00, 0x4E, 0x54, 0x03]) ?? .zero

        @Test("neither lies of its server, nor cards and cables that change, show the computer or lead round Tor")
        func hostile() async throws {
            let image = try ShippedImage.find()
            let usb = NetworkCard(tap: "tap-usb", hardwareAddress: Self.third, model: .usb)
            let slot = NetworkCard(tap: "tap-slot", hardwareAddress: Self.second, model: .rtl8139)
            try await withWork { work in
                var plan = Trial.Plan(image: image.stick, attachment: .virtio, firmware: .bios, memory: 1024)
                plan.card = .e1000
                plan.localNetwork = .hostile
                plan.otherNetworks = [.other, .conflicting]
                plan.otherCards = [
                    .init(slot, in: .other), .init(usb, in: .other, isThere: false),
                ]
                let (_, verdict) = try await Trial.with(plan, work: work.appending("t")) { trial in
                    let guest = HostileGuest(trial: trial)
                    _ = try await trial.waitForTor(within: .seconds(240))
                    try await guest.expectPage("with a hostile server and two cards")
                    try await guest.expectNothingBelieved()
                    let leases = try guest.acknowledgedLeases()
                    try await guest.plugAndPull(usb)
                    try await guest.refuse(usb)
                    try await guest.useRadio()
                    try await guest.expectRenewal(after: leases)
                    try await guest.moveCable(slot)
                }
                print("Frames of the hostile network:\n\(verdict)")
                #expect(verdict.isClean, "Frames outside the list left the machine:\n\(verdict)")
                #expect((verdict.allowed["Tor"] ?? 0) > 10 && (verdict.allowed["DHCP"] ?? 0) > 8)
            }
        }
    }
}

/// A guest in a hostile network, and what is expected of it.
private struct HostileGuest {
    let trial: Trial

    func output(_ script: String) async throws -> String {
        try await trial.machine.shell.output(script).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func wait(_ what: String, within limit: Duration = .seconds(60), for script: String) async throws {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if try await trial.machine.shell.run(script).status == 0 { return }
            try await Task.sleep(for: .milliseconds(500))
        }
        let state = try await trial.machine.shell.run(
            "nmcli dev; ip addr; ip route; cat /run/needletail/interfaces/*; journalctl --no-pager -n 20 -u NetworkManager"
        )
        Issue.record("\(what) did not come to be within \(limit):\n\(state.output)")
    }

    func expectPage(_ when: String) async throws {
        // Tor may just be beginning afresh from another address; what comes at last must come through it.
        let deadline = ContinuousClock.now + .seconds(120)
        var page: String?
        while page == nil, ContinuousClock.now < deadline {
            page = try? await trial.fetchPage()
            if page == nil { try await Task.sleep(for: .seconds(1)) }
        }
        let seen = try #require(page, "\(when), no page came.")
        #expect(trial.tor.exitAddresses.contains(seen), "\(when), the web server saw \(seen)")
    }

    /// Nothing of the server's but its routes is taken.
    func expectNothingBelieved() async throws {
        #expect(try await output("ip route").contains("default via \(Address.router) dev eth"))
        #expect(try await output("cat /proc/sys/kernel/hostname /etc/hostname") == "host\nhost")
        #expect(try await !output("cat /etc/resolv.conf").contains("192.0.2."))
        #expect(try await output("env | grep -ic proxy.*192.0.2 || true") == "0")
        for card in ["eth0", "eth1"] {
            let report = try await output("cat /run/needletail/interfaces/\(card)")
            #expect(report.contains("result=randomised"), "\(report)")
        }
        #expect(try await output("ip -o link | grep -cE 'link/ether 52:54:00:4e:54' || true") == "0")
        // As for a computer without IPv6 at all.
        #expect(try await output("ip -6 addr; ip -6 route") == "")
    }

    func acknowledgedLeases() throws -> Int {
        try trial.network.router.log().components(separatedBy: "DHCPACK").count
    }

    /// The server's leases last two minutes, so that they are renewed every minute.
    func expectRenewal(after count: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        while try acknowledgedLeases() <= count, ContinuousClock.now < deadline {
            try await Task.sleep(for: .seconds(1))
        }
        #expect(try acknowledgedLeases() > count, "The lease was not renewed.")
        try await expectPage("after renewals")
    }

    /// An adapter that is plugged in while everything runs.
    func plugAndPull(_ card: NetworkCard) async throws {
        try await trial.machine.plug(card)
        try await wait(
            "The adapter's address",
            for: "grep -qs result=randomised /run/needletail/interfaces/*2 /run/needletail/interfaces/usb0")
        let name = try await output("cd /run/needletail/interfaces; ls | grep -v -e eth0 -e eth1")
        #expect(try await output("nft list set inet needletail interfaces").contains("\"\(name)\""))
        try await wait("The adapter's lease", for: "ip -4 addr show \(name) | grep -q 172.16.5.")
        try await expectPage("with an adapter at USB")
        try await trial.machine.unplug(card)
        try await wait("The end of the adapter", for: "! test -e /run/needletail/interfaces/\(name)")
        #expect(try await !output("nft list set inet needletail interfaces").contains("\"\(name)\""))
    }

    /// An adapter for which the program that hides its address fails: it stays off.
    func refuse(_ card: NetworkCard) async throws {
        _ = try await output("mount --bind /bin/false /usr/lib/needletail/mac")
        try await trial.machine.plug(card)
        try await wait("The adapter", for: "ls /sys/class/net | grep -qE 'eth2|usb0'")
        try await Task.sleep(for: .seconds(5))
        let name = try await output("ls /sys/class/net | grep -E 'eth2|usb0'")
        let link = try await output("ip -o link show \(name)")
        #expect(!link.contains("UP"), "\(link)")
        #expect(try await output("nmcli -g GENERAL.STATE dev show \(name)").contains("unmanaged"))
        #expect(try await !output("nft list set inet needletail interfaces").contains("\"\(name)\""))
        _ = try await output("umount /usr/lib/needletail/mac")
        try await trial.machine.unplug(card)
    }

    /// A radio, as the kernel can simulate one.
    func useRadio() async throws {
        _ = try await output("modprobe mac80211_hwsim radios=1")
        try await wait("The radio", for: "grep -qs result=randomised /run/needletail/interfaces/wlan0")
        try await wait(
            "NetworkManager's hand on the radio", for: "nmcli -g GENERAL.STATE dev show wlan0 | grep -q disconnected")
        let link = try await output("ip -o link show wlan0")
        let own = try #require(link.components(separatedBy: "permaddr ").dropFirst().first?.prefix(17))
        #expect(!link.contains("link/ieee802.11 \(own)") && !link.contains("link/ether \(own)"), "\(link)")
        // udev's database, which everybody can read, would have it as a name.
        let digits = own.replacing(":", with: "")
        #expect(try await output("grep -rl -e \(own) -e \(digits) /run/udev || true") == "")
        _ = try await output("rmmod mac80211_hwsim")
    }

    /// NetworkManager keeps an address for some seconds, in case that the cable only had a loose contact.
    func waitForNoAddress() async throws {
        try await wait("The end of all addresses", for: "! ip -4 addr | grep -q 'inet .* eth'")
    }

    /// Cable out, into another network's switch, in again; then into one with the addresses of the session's own link.
    func moveCable(_ other: NetworkCard) async throws {
        let machine = trial.machine
        try await machine.setCable(plugged: false)
        try await wait("The end of the first network", for: "! ip route | grep -q \(Address.router)")
        try await expectPage("with one cable out")
        try await trial.network.moveTap("tap-guest", to: LocalNetwork.other.bridge)
        try await machine.setCable(plugged: true)
        try await wait(
            "An address in the new network",
            for: "ip -4 addr show eth0 | grep -q 172.16.5. || ip -4 addr show eth1 | grep -q 172.16.5.")
        try await machine.setCable(of: other, plugged: false)
        try await expectPage("in another network")
        // The network whose addresses are those of the link to the session.
        try await machine.setCable(plugged: false)
        try await waitForNoAddress()
        try await trial.network.moveTap("tap-guest", to: LocalNetwork.conflicting.bridge)
        try await machine.setCable(plugged: true)
        try await wait("The conflicting address", for: "ip -4 addr | grep -q 'inet 10.77.0.2/30.* eth'")
        _ = try await machine.shell.run(
            "nsenter --net=/run/netns/session runuser -u user -- curl -sS --max-time 10 http://\(Address.web)/",
            timeout: .seconds(30))
        let exits = trial.tor.exitAddresses
        #expect(try trial.network.web.visits().allSatisfy { exits.contains($0.address) })
        try await machine.setCable(plugged: false)
        try await waitForNoAddress()
        try await trial.network.moveTap("tap-guest", to: LocalNetwork.other.bridge)
        try await machine.setCable(plugged: true)
        try await wait(
            "An address again",
            for: "ip -4 addr show eth0 | grep -q 172.16.5. || ip -4 addr show eth1 | grep -q 172.16.5.")
        try await expectPage("back in a network that does not lie")
    }
}
