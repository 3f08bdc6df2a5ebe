// SPDX-License-Identifier: GPL-3.0-or-later
import ControlFilter
import Linux
import Testing

@Suite("Inputs found by fuzzing the filter")
struct CorpusTests {
    static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Corpus/ControlFilterFuzz"

    @Test("nothing forbidden gets through with any input of the corpus, whole or cut short")
    func corpus() throws {
        let names = FileTree.names(in: Self.folder)
        #expect(names.count >= 4)
        for name in names {
            let bytes = try File("\(Self.folder)/\(name)").readAll()
            for length in stride(from: 0, through: min(bytes.count, 2000), by: 7) {
                FilterProbe.conversation(Array(bytes.prefix(length)))
            }
            FilterProbe.conversation(bytes)
        }
    }
}
