// SPDX-License-Identifier: GPL-3.0-or-later
import Connection
import Linux
import Testing

@Suite("Inputs found by fuzzing bridge lines")
struct CorpusTests {
    static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Corpus/BridgeParserFuzz"

    @Test("every input of the corpus, whole or cut short, gives bridges that Tor takes or problems that can be shown")
    func corpus() throws {
        let names = FileTree.names(in: Self.folder)
        #expect(names.count >= 6)
        for name in names {
            let bytes = try File("\(Self.folder)/\(name)").readAll()
            for length in stride(from: 0, through: min(bytes.count, 2000), by: 7) {
                BridgeProbe.lines(Array(bytes.prefix(length)))
            }
            BridgeProbe.lines(bytes)
        }
    }
}
