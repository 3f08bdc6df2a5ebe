// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// Judges captured frames: everything that the guest sent is on the allow-list, or is a finding.
///
/// It reads the capture itself and shares no code with what makes the packets, the firewall or the guest, so that one
/// mistake cannot hide in both.
public struct Judge: Sendable {
    /// Which of a capture's frames the guest sent.
    public enum GuestFrames: Sendable, Hashable {
        /// All: the capture was made in that direction only (`tcpdump -Q in` on the tap).
        case all
        /// Those that do not come from one of the host side's addresses. A guest that takes a host's address hides.
        case notFrom(Set<MACAddress>)
        /// Those that come from one of the guest's addresses. A guest that takes another address hides.
        case from(Set<MACAddress>)

        func contains(_ source: MACAddress?) -> Bool {
            switch self {
            case .all: true
            case .notFrom(let hosts): source.map { !hosts.contains($0) } ?? true
            case .from(let guests): source.map { guests.contains($0) } ?? true
            }
        }
    }

    /// What may be sent.
    public var allowList: AllowList
    /// Which frames are judged.
    public var guestFrames: GuestFrames
    /// The addresses burnt into the guest's hardware: no frame may hold one, in no form.
    public var hardwareAddresses: Set<MACAddress>
    /// Words that no frame may hold, in whatever case, as UTF-8 or UTF-16: names of the maker's machine, of the user …
    ///
    /// Words shorter than eight bytes are not looked for in TCP to the relays, where encrypted bytes form each short word
    /// by chance sooner or later.
    public var words: [String]
    /// Whether TCP's timestamps, which tell the machine's uptime, are findings.
    public var forbidsTCPTimestamps: Bool

    /// A judge with its rules.
    public init(
        allowList: AllowList, guestFrames: GuestFrames = .all, hardwareAddresses: Set<MACAddress> = [],
        words: [String] = [], forbidsTCPTimestamps: Bool = false
    ) {
        self.allowList = allowList
        self.guestFrames = guestFrames
        self.hardwareAddresses = hardwareAddresses
        self.words = words
        self.forbidsTCPTimestamps = forbidsTCPTimestamps
    }

    /// Judges a capture file; one that is cut is a finding.
    ///
    /// - Throws: `PcapError` when the file is no capture; Foundation's error when it cannot be read.
    public func verdict(onCapture path: FilePath) throws -> Verdict {
        let file = try PcapFile(readingFrom: path)
        var verdict = verdict(on: file.frames)
        if file.isCut { verdict.add(.captureIncomplete, "the file \(path) ends in the middle of a frame") }
        return verdict
    }

    /// Judges what `FrameCapture` recorded; frames that the kernel dropped are a finding.
    ///
    /// - Throws: `PcapError` when the file is no capture; Foundation's error when it cannot be read.
    public func verdict(on recording: FrameCapture.Recording) throws -> Verdict {
        var verdict = try verdict(onCapture: recording.fromGuest)
        switch recording.dropped {
        case 0?: break
        case let count?: verdict.add(.captureIncomplete, "the kernel dropped \(count) frames before they were written")
        case nil: verdict.add(.captureIncomplete, "tcpdump ended without saying how many frames it missed")
        }
        return verdict
    }

    /// Judges frames.
    public func verdict(on frames: [CapturedFrame]) -> Verdict {
        var verdict = Verdict()
        let start = frames.first?.nanoseconds ?? 0
        for captured in frames {
            let frame = Frame(captured.bytes)
            guard guestFrames.contains(frame?.source) else {
                verdict.ignored += 1
                continue
            }
            verdict.frames += 1
            let opinion = opinion(on: captured, frame)
            if let name = opinion.exception, opinion.findings.isEmpty { verdict.allowed[name, default: 0] += 1 }
            for (kind, line) in opinion.findings {
                verdict.findings.append(
                    Finding(
                        kind: kind, nanoseconds: captured.nanoseconds,
                        seconds: (Double(captured.nanoseconds) - Double(start)) / 1e9, line: line))
            }
        }
        return verdict
    }

    // MARK: One frame

    private func opinion(on captured: CapturedFrame, _ frame: Frame?) -> Opinion {
        var opinion: Opinion
        if captured.originalLength != captured.bytes.count {
            opinion = Opinion(
                .captureIncomplete, "\(captured.bytes.count) of \(captured.originalLength) bytes were kept")
        } else if let frame {
            opinion =
                frame.vlans.isEmpty
                ? judge(frame) : Opinion(.vlan, "\(frame.source) sent with tags \(frame.vlans)")
            if frame.trailer.contains(where: { $0 != 0 }) {
                opinion.add(.strayBytes, "\(frame.trailer.count) bytes after the packet of \(frame.source)")
            }
        } else {
            opinion = Opinion(.malformed, "\(captured.bytes.count) bytes, too short for a frame")
        }
        let traces = Traces(bytes: captured.bytes)
        for address in hardwareAddresses where traces.hold(address) {
            opinion.add(.hardwareAddress, "\(address) in a frame of \(captured.bytes.count) bytes")
        }
        for word in words where word.utf8.count >= 8 || opinion.exception == nil || !opinion.isTCP {
            if traces.hold(word) { opinion.add(.identity, "'\(word)' in a frame of \(captured.bytes.count) bytes") }
        }
        return opinion
    }

    private func judge(_ frame: Frame) -> Opinion {
        switch frame.content {
        case .arp(let message): judge(message, in: frame)
        case .ipv4(let packet): judge(packet, in: frame)
        case .ipv6(let packet): Opinion.ipv6(packet)
        case .lengthEncoded(let bytes): Opinion(.logicalLink, "\(bytes.count) bytes to \(frame.destination)")
        case .malformed(let reason): Opinion(.malformed, reason)
        case .other where frame.etherType == 0x88CC: Opinion(.lldp, "to \(frame.destination)")
        case .other(let bytes):
            Opinion(
                .unknownEtherType,
                "0x\(String(frame.etherType, radix: 16)), \(bytes.count) bytes to \(frame.destination)")
        }
    }

    private func judge(_ message: ARPMessage, in frame: Frame) -> Opinion {
        guard let exception = allowList.exceptions.first(where: { $0.rule == .arp }) else {
            return Opinion(.arp, "ARP is not on the allow-list")
        }
        let line =
            "\(message.senderHardware) (\(message.sender)) about \(message.target), operation \(message.operation)"
        let isOwn = allowList.isLocal(message.sender) && !allowList.routers.contains(message.sender)
        let isHonest = message.senderHardware == frame.source
        let mayAsk =
            message.sender == .any
            // A probe: is this address, which I was given, free? (RFC 5227)
            ? allowList.isLocal(message.target)
            : isOwn && (message.target == message.sender || allowList.routers.contains(message.target))
        switch message.operation {
        case 1 where isHonest && mayAsk: return Opinion(passing: exception.name)
        case 2 where isHonest && isOwn: return Opinion(passing: exception.name)
        default: return Opinion(.arp, line)
        }
    }

    private func judge(_ packet: IPv4Packet, in frame: Frame) -> Opinion {
        if let opinion = judgeDHCP(packet, in: frame) { return opinion }
        var opinion = judgeTCP(packet) ?? judgeUDP(packet) ?? Opinion.ipv4(packet)
        if !packet.options.isEmpty { opinion.add(.ipOptions, "\(packet.source) → \(packet.destination)") }
        if !allowList.isLocal(packet.source) || allowList.routers.contains(packet.source) {
            opinion.add(.sourceAddress, "\(packet.source) → \(packet.destination), not of \(allowList.localNetwork)")
        }
        return opinion
    }

    private func judgeTCP(_ packet: IPv4Packet) -> Opinion? {
        guard case .tcp(let segment) = packet.transport else { return nil }
        let place = Endpoint(packet.destination, segment.destinationPort)
        for exception in allowList.exceptions {
            guard case .tcp(let places) = exception.rule, places.contains(place) else { continue }
            var opinion = Opinion(passing: exception.name)
            opinion.isTCP = true
            if forbidsTCPTimestamps, segment.hasTimestamp {
                opinion.add(.tcpTimestamp, "\(packet.source) → \(place)")
            }
            return opinion
        }
        return nil
    }

    private func judgeUDP(_ packet: IPv4Packet) -> Opinion? {
        guard case .udp(let datagram) = packet.transport else { return nil }
        let place = Endpoint(packet.destination, datagram.destinationPort)
        for exception in allowList.exceptions {
            switch exception.rule {
            case .udp(let places) where places.contains(place): return Opinion(passing: exception.name)
            case .names(let names, let servers) where servers.contains(place):
                let name = NameQuestion(datagram.payload)?.name
                guard let name, names.contains(name) else {
                    return Opinion(.dns, "\(packet.source) → \(place), about \(name ?? "something else")")
                }
                return Opinion(passing: exception.name)
            default: continue
            }
        }
        return nil
    }

    private func judgeDHCP(_ packet: IPv4Packet, in frame: Frame) -> Opinion? {
        guard case .udp(let datagram) = packet.transport, datagram.sourcePort == 68, datagram.destinationPort == 67
        else {
            return nil
        }
        for exception in allowList.exceptions {
            guard case .dhcp(let options) = exception.rule else { continue }
            return DHCPJudge(
                allowList: allowList, options: options, exception: exception.name,
                hardwareAddresses: hardwareAddresses
            ).opinion(on: datagram, of: packet, in: frame)
        }
        return nil
    }
}

extension Verdict {
    /// Adds a doubt about the whole capture.
    mutating func add(_ kind: Finding.Kind, _ line: String) {
        findings.append(Finding(kind: kind, nanoseconds: nil, seconds: 0, line: line))
    }
}

/// What the judge thinks of one frame: the exception that lets it pass, and what is wrong with it all the same.
struct Opinion {
    var exception: String?
    var isTCP = false
    var findings: [(kind: Finding.Kind, line: String)] = []

    init(passing exception: String) { self.exception = exception }
    init(_ kind: Finding.Kind, _ line: String) { findings = [(kind, line)] }

    mutating func add(_ kind: Finding.Kind, _ line: String) { findings.append((kind, line)) }
}
