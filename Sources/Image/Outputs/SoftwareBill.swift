// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// What is inside an image, in SPDX 2.3 (ISO/IEC 5962:2021), JSON form.
struct SoftwareBill: Encodable {
    struct Package: Encodable {
        struct Reference: Encodable {
            let referenceCategory: String
            let referenceType: String
            let referenceLocator: String
        }
        struct Checksum: Encodable {
            let algorithm: String
            let checksumValue: String
        }
        let name: String
        let SPDXID: String
        let versionInfo: String
        let supplier: String
        let downloadLocation: String
        let filesAnalyzed: Bool
        let licenseConcluded: String
        let licenseDeclared: String
        let copyrightText: String
        let checksums: [Checksum]
        let externalRefs: [Reference]
    }
    struct Creation: Encodable {
        let created: String
        let creators: [String]
    }
    struct Relationship: Encodable {
        let spdxElementId: String
        let relationshipType: String
        let relatedSpdxElement: String
    }

    let spdxVersion = "SPDX-2.3"
    let dataLicense = "CC0-1.0"
    let SPDXID = "SPDXRef-DOCUMENT"
    let name: String
    let documentNamespace: String
    let creationInfo: Creation
    let packages: [Package]
    let relationships: [Relationship]

    /// A program of ours.
    struct Program {
        let name: String
        let sha256: String
    }

    /// Describes an image by the packages of its lock and the programs compiled into it.
    init(project: Project, profile: Profile, lock: Lock, programs: [Program]) {
        name = "needletail-\(profile.name)-\(project.version)"
        documentNamespace = "urn:needletail:\(profile.name):\(project.version):\(project.commit)"
        let format = ISO8601DateFormatter()
        creationInfo = Creation(
            created: format.string(from: Date(timeIntervalSince1970: Double(project.epoch))),
            creators: ["Tool: needletail-\(project.version)"])
        func id(_ text: String) -> String {
            "SPDXRef-" + String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
        }
        var packages = programs.map { program in
            Package(
                name: program.name, SPDXID: id(program.name), versionInfo: project.version,
                supplier: "Organization: Needletail", downloadLocation: "NOASSERTION", filesAnalyzed: false,
                licenseConcluded: "GPL-3.0-or-later", licenseDeclared: "GPL-3.0-or-later", copyrightText: "NOASSERTION",
                checksums: [.init(algorithm: "SHA256", checksumValue: program.sha256)], externalRefs: [])
        }
        for package in lock.system {
            packages.append(
                Package(
                    name: package.name, SPDXID: id("deb-\(package.name)"), versionInfo: package.version,
                    supplier: "Organization: Debian", downloadLocation: "NOASSERTION", filesAnalyzed: false,
                    licenseConcluded: "NOASSERTION", licenseDeclared: "NOASSERTION", copyrightText: "NOASSERTION",
                    checksums: [.init(algorithm: "SHA256", checksumValue: package.sha256)],
                    externalRefs: [
                        .init(
                            referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
                            referenceLocator:
                                "pkg:deb/debian/\(Self.escaped(package.name))@\(Self.escaped(package.version))?arch=\(package.architecture)&distro=\(lock.suite)"
                        )
                    ]))
        }
        self.packages = packages
        relationships = packages.map {
            Relationship(
                spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: $0.SPDXID)
        }
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
            ?? text
    }

    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}
