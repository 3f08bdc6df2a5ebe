// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Image

@Suite struct AssemblyBootCodeTests {
    /// A boot.img as GRUB 2.12 has it, in all that counts.
    static var boot: [UInt8] {
        var bytes = (0..<512).map { UInt8($0 & 0x7f) }
        bytes.replaceSubrange(0x5c..<0x64, with: [1, 0, 0, 0, 0, 0, 0, 0])
        bytes.replaceSubrange(0x65..<0x68, with: [0xfa, 0xeb, 0x05])
        bytes.replaceSubrange(510..<512, with: [0x55, 0xaa])
        return bytes
    }

    /// A core image of three sectors and a bit, with the block list that grub-mkimage writes.
    static var core: [UInt8] {
        var bytes = [UInt8](repeating: 0x11, count: 3 * 512 + 100)
        bytes.replaceSubrange(480..<500, with: [UInt8](repeating: 0, count: 20))
        bytes.replaceSubrange(500..<512, with: [2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0x20, 0x08])
        return bytes
    }

    @Test func theBootSectorFindsTheCoreImage() throws {
        let code = try BIOSBootCode(boot: Self.boot, core: Self.core, at: 0x0102_0304_0506)
        #expect(Array(code.bootSector[0x5c..<0x64]) == [6, 5, 4, 3, 2, 1, 0, 0])
        #expect(Array(code.bootSector[0x65..<0x68]) == [0xfa, 0x90, 0x90])
        #expect(code.bootSector.count == 440)
        let untouched = (0..<440).filter { !(0x5c..<0x64).contains($0) && !(0x66..<0x68).contains($0) }
        #expect(untouched.allSatisfy { code.bootSector[$0] == Self.boot[$0] })
    }

    @Test func theCoreImageFindsItsOwnRest() throws {
        let code = try BIOSBootCode(boot: Self.boot, core: Self.core, at: 2048)
        #expect(code.core.count == 4 * 512)
        #expect(Array(code.core[500..<512]) == [1, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0x20, 0x08])
        let given = Self.core
        #expect((0..<given.count).filter { !(500..<508).contains($0) }.allSatisfy { code.core[$0] == given[$0] })
        #expect(code.core[given.count...].allSatisfy { $0 == 0 })
    }

    @Test func bootCodeOfAnotherKindIsRefused() {
        func refused(_ change: (inout [UInt8], inout [UInt8]) -> Void) -> Bool {
            var boot = Self.boot
            var core = Self.core
            change(&boot, &core)
            do {
                _ = try BIOSBootCode(boot: boot, core: core, at: 2048)
                return false
            } catch { return error.description.contains("grub-pc-bin") }
        }
        #expect(!refused { _, _ in })
        #expect(refused { boot, _ in boot.removeLast() })
        #expect(refused { boot, _ in boot[511] = 0 })
        #expect(refused { boot, _ in boot[0x66] = 0x90 })
        #expect(refused { _, core in core.removeLast(1200) })
        #expect(refused { _, core in core[508] = 4 })
        #expect(refused { _, core in core[496] = 1 })
    }
}
