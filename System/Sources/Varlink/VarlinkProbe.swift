// SPDX-License-Identifier: GPL-3.0-or-later
import FoundationEssentials

/// Feeds hostile bytes to everything that reads Varlink's messages, and traps when a promise is broken. For fuzzing (`make fuzz`)
/// and for the test that runs the corpus; nothing else calls it.
public enum VarlinkProbe {
    /// One method with every kind of parameter, and the type that its handler gets.
    private static let interface = try? VarlinkInterface(
        """
        interface a.b
        type Place (name: string, height: ?int, below: ?Place)
        method Go(n: int, x: ?float, t: ?string, f: ?bool, l: ?[]Place, m: ?[string]int, e: ?(one, two), o: ?object) -> ()
        """)

    private struct Journey: Decodable {
        indirect enum Below: Decodable {
            case place(Place)
            init(from decoder: any Decoder) throws { self = .place(try Place(from: decoder)) }
        }
        struct Place: Decodable {
            var name: String
            var height: Int?
            var below: Below?
        }
        enum Choice: String, Decodable { case one, two }
        var n: Int
        var x: Double?
        var t: String?
        var f: Bool?
        var l: [Place]?
        var m: [String: Int]?
        var e: Choice?
    }

    /// Reads bytes as what a caller sends, cut in two at a place that the first byte says. A message that starts as the text of an
    /// interface is read as one, and later calls are checked against it.
    public static func connection(_ bytes: [UInt8]) {
        guard let first = bytes.first, var interface else { return }
        let rest = bytes.dropFirst()
        let cut = rest.startIndex + min(Int(first), rest.count)
        var reader = MessageReader(limit: 4096)
        for part in [rest[..<cut], rest[cut...]] {
            reader.add(Array(part))
            while let message = try? reader.next() {
                precondition(message.count <= 4096 && !message.contains(0), "a message that is none")
                if message.starts(with: "interface ".utf8) {
                    if let another = description(message) { interface = another }
                } else {
                    read(message, interface)
                }
            }
        }
    }

    private static func description(_ message: [UInt8]) -> VarlinkInterface? {
        guard let interface = try? VarlinkInterface(String(decoding: message, as: UTF8.self)) else { return nil }
        precondition(interface.name.contains("."), "an interface without a name")
        return interface
    }

    private static func read(_ message: [UInt8], _ interface: VarlinkInterface) {
        guard let value = try? JSONParser.value(in: message) else {
            precondition((try? VarlinkConnection.call(in: message)) == nil, "a call that is no JSON")
            return
        }
        precondition(!value.bytes.contains { $0 < 0x20 }, "a control character is written")
        precondition((try? JSONParser.value(in: value.bytes)) == value, "what is written is read as another")
        guard let call = try? VarlinkConnection.call(in: message) else { return }
        precondition(call.method.utf8.count <= 255 && call.method.utf8.allSatisfy { (0x21...0x7e).contains($0) })
        let parameters = call.parameters.filter { $0.value != .null }
        for method in interface.methods.values { _ = try? interface.check(parameters, against: method.parameters) }
        guard let own = Self.interface, let method = own.methods["Go"],
            (try? own.check(parameters, against: method.parameters)) != nil
        else { return }
        // What the interface lets through, a handler's type takes.
        let data = Data(JSONValue.object(parameters).bytes)
        precondition((try? JSONDecoder().decode(Journey.self, from: data)) != nil, "a checked call is not taken")
    }
}
