// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testing

@testable import Disks

@Suite("The rules of the image")
struct RulesTests {
    static let image = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "image")
    static let rules = image.appending(path: "files/core/usr/lib/udev/rules.d")

    @Test("no disk or drive is given to whoever sits at the screen, after all rules that would and before it counts")
    func noAccess() throws {
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: Self.rules.path).first {
                try String(contentsOf: Self.rules.appending(path: $0), encoding: .utf8).contains("TAG-=\"uaccess\"")
            })
        #expect("70-uaccess.rules" < name && "71-seat.rules" < name && name < "73-seat-late.rules")
        let lines = try String(contentsOf: Self.rules.appending(path: name), encoding: .utf8).split(separator: "\n")
        let rule = try #require(lines.first { $0.contains("TAG-=") && !$0.hasPrefix("#") })
        for subsystem in ["block", "scsi_generic"] {
            #expect(rule.split { $0 == "\"" || $0 == "|" }.contains { $0 == subsystem }, "\(subsystem)")
        }
        let profile = try String(contentsOf: Self.image.appending(path: "profiles/core.yaml"), encoding: .utf8)
        #expect(profile.contains("- path: /usr/lib/modules/*/kernel/drivers/scsi/sg.*\n"))
    }
}
