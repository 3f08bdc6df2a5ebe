// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing
import TorControl

@Suite("Inputs found by fuzzing")
struct CorpusTests {
    static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Corpus/ControlParserFuzz"

    @Test("every input of the corpus, whole and cut short at every place, is read without a crash")
    func corpus() throws {
        let names = FileTree.names(in: Self.folder)
        #expect(names.count >= 5)
        for name in names {
            let bytes = try File("\(Self.folder)/\(name)").readAll()
            for length in 0...min(bytes.count, 2000) { Probe.controlReplies(Array(bytes.prefix(length))) }
            Probe.controlReplies(bytes)
        }
    }
}
