// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Image
import SystemPackage

extension Bench {
    func size() async throws -> PartReport {
        var report = PartReport(
            .size, setting: try await setting(),
            method: [
                """
                The files in the output folder against the hybrid image that live-build makes of the same package list, which \
                the part "Build" leaves behind and which is made anew where it is missing or of other packages. Needletail \
                leaves out documentation, translations and drivers as its profile says; live-build leaves everything in, and \
                packs with its defaults.
                """
            ])
        try await makeLiveBuildImage()
        let names = Builder.outputNames(of: request.build.profile).prefix(2)
        guard names.allSatisfy({ FileManager.default.fileExists(atPath: request.build.output.appending($0).string) })
        else { throw BenchFailure("There is no \(request.stick). Build it with: needletail build") }
        let reference = Series([try Self.size(of: liveBuildImage)])
        for (index, name) in names.enumerated() {
            let ours = Series([try Self.size(of: request.build.output.appending(name))])
            report.figures.append(
                Figure(name, .megabytes, ours: ours, reference: reference, target: index == 0 ? .ratio(0.8) : nil))
            if index == 0 {
                report.figures.append(Figure(name, .megabytes, ours: ours, target: .value(300)))
            }
        }
        return report
    }
}
