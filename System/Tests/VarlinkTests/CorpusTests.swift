import Linux
import Testing
// SPDX-License-Identifier: GPL-3.0-or-later
import Varlink

@Suite("Inputs found by fuzzing Varlink")
struct CorpusTests {
    static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Corpus/VarlinkServiceFuzz"

    @Test("every input of the corpus, whole or cut short, is read or refused, and what is checked can be used")
    func corpus() throws {
        let names = FileTree.names(in: Self.folder)
        #expect(names.count >= 4)
        for name in names {
            let bytes = try File("\(Self.folder)/\(name)").readAll()
            for length in stride(from: 0, through: min(bytes.count, 2000), by: 7) {
                VarlinkProbe.connection(Array(bytes.prefix(length)))
            }
            VarlinkProbe.connection(bytes)
        }
    }
}
