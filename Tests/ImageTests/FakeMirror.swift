// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Glibc
import Synchronization

/// A web server on loopback that behaves as badly as a test wants.
final class FakeMirror: Sendable {
    enum Answer: Sendable {
        case content([UInt8])
        case gone
        /// The whole length is announced, half of it is sent, and the connection ends.
        case breaksOff([UInt8])
    }

    let address: String
    private let listener: Int32
    private let asked = Mutex<[String]>([])

    /// The paths that were asked for, in order.
    var requests: [String] { asked.withLock { $0 } }

    init(_ answer: @escaping @Sendable (String) -> Answer) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
        }
        guard bound == 0, listen(listener, 16) == 0 else { throw POSIXError(.EADDRINUSE) }
        _ = withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
        }
        address = "http://127.0.0.1:\(UInt16(bigEndian: place.sin_port))/debian"
        self.listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { return }
                self?.serve(client, answer)
                close(client)
            }
        }
    }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ client: Int32, _ answer: (String) -> Answer) {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            while !text.contains("\r\n\r\n") {
                let count = read(client, &buffer, buffer.count)
                if count <= 0 { return }
                text += String(decoding: buffer[..<count], as: UTF8.self)
            }
            let path = String(text.split(separator: " ").dropFirst().first ?? "")
            text = text.components(separatedBy: "\r\n\r\n").dropFirst().joined(separator: "\r\n\r\n")
            asked.withLock { $0.append(path) }
            func send(_ status: String, _ body: ArraySlice<UInt8>, length: Int) {
                let head = Array("HTTP/1.1 \(status)\r\nContent-Length: \(length)\r\n\r\n".utf8)
                let bytes = head + body
                _ = Glibc.send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            }
            switch answer(path) {
            case .content(let bytes): send("200 OK", bytes[...], length: bytes.count)
            case .gone: send("404 Not Found", [], length: 0)
            case .breaksOff(let bytes):
                send("200 OK", bytes.prefix(bytes.count / 2), length: bytes.count)
                return
            }
        }
    }
}
