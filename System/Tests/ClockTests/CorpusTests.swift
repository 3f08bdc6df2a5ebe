// SPDX-License-Identifier: GPL-3.0-or-later
import Clock
import Linux
import Testing

@Suite("Inputs found by fuzzing dates")
struct CorpusTests {
    static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Corpus/ClockFuzz"

    @Test("every input of the corpus, whole or cut short, gives a moment of the calendar or none")
    func corpus() throws {
        let names = FileTree.names(in: Self.folder)
        #expect(names.count >= 7)
        for name in names {
            let bytes = try File("\(Self.folder)/\(name)").readAll()
            for length in stride(from: 0, through: min(bytes.count, 2000), by: 7) {
                ClockProbe.words(Array(bytes.prefix(length)))
            }
            ClockProbe.words(bytes)
        }
    }
}
