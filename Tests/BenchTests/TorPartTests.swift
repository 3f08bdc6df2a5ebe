// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Bench

@Suite("Tor's figures")
struct TorPartTests {
    @Test("bootstrap counts from the first step on the network, not from the start of the program")
    func bootstrap() {
        let log = """
            1763712000.100000 host tor[1]: Nov 21 [notice] Bootstrapped 0% (starting): Starting
            1763712009.500000 host tor[1]: Nov 21 [notice] Bootstrapped 5% (conn): Connecting to a relay
            1763712011.250000 host tor[1]: Nov 21 [notice] Bootstrapped 75% (enough_dirinfo): Loaded enough
            """
        #expect(Bench.bootstrap(in: log) == nil)
        #expect(Bench.bootstrap(in: log + "\n1763712012.000000 host tor[1]: Bootstrapped 100% (done): Done") == 2.5)
    }

    @Test("curl's times become milliseconds and MB per second, and a curl that failed is no figure")
    func way() {
        let way = Bench.Way("0.125\n0.250\n4000000\n")
        #expect(way?.firstBytes == [125, 250])
        #expect(way?.throughput == 4)
        #expect(Bench.Way("") == nil)
    }

    @Test("a target from below is reached from above")
    func targets() {
        func figure(_ value: Double) -> Figure {
            Figure("f", .megabytesPerSecond, ours: Series([value]), reference: Series([1]), target: .ratioAtLeast(0.9))
        }
        #expect(figure(0.95).isReached == true)
        #expect(figure(0.85).isReached == false)
        #expect(Document.words(.ratioAtLeast(0.9), .seconds) == "≥ 0.90 ×")
    }
}
