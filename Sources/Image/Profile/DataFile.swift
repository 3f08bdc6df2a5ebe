// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Yams

/// A data file of the project that says something wrong: which file, which line, which field, and what is the matter.
public struct DataFileError: Error, CustomStringConvertible, Equatable {
    /// The file.
    public let file: String
    /// The line, counted from 1; `nil` when the file as a whole is meant.
    public let line: Int?
    /// The field, as a path of keys and indices: `users[0].uid`.
    public let field: String
    /// What is wrong, as a sentence.
    public let problem: String

    /// The error for a person: `core.yaml:12: packages: …`.
    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return field.isEmpty ? "\(place): \(problem)" : "\(place): \(field): \(problem)"
    }
}

/// Reads the project's YAML files into types, with errors that point at the line.
public enum DataFile {
    /// Decodes a file.
    ///
    /// - Throws: `DataFileError` for anything that the file says wrong, also when it cannot be read.
    public static func decode<Value: Decodable>(_ type: Value.Type, from path: FilePath) throws -> Value {
        guard let data = FileManager.default.contents(atPath: path.string) else {
            throw DataFileError(file: path.string, line: nil, field: "", problem: "The file cannot be read.")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw DataFileError(file: path.string, line: nil, field: "", problem: "The file is not UTF-8 text.")
        }
        return try decode(type, from: text, named: path.string)
    }

    /// Decodes a text; `name` stands in errors for the file.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, from text: String, named name: String
    ) throws -> Value {
        let root: Node
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw DataFileError(file: name, line: nil, field: "", problem: "The file is empty.")
            }
            root = node
        } catch let error as YamlError {
            throw DataFileError(file: name, line: line(of: error), field: "", problem: "Not valid YAML: \(error)")
        }
        do {
            return try YAMLDecoder().decode(type, from: root)
        } catch let error as DecodingError {
            let (path, problem) = explain(error)
            throw DataFileError(
                file: name, line: line(of: path, in: root), field: render(path), problem: problem)
        }
    }

    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        default: nil
        }
    }

    /// The line of the deepest part of a coding path that the document has.
    static func line(of path: [any CodingKey], in root: Node) -> Int? {
        var node = root
        var line = root.mark?.line
        for key in path {
            if let index = key.intValue, case .sequence(let items) = node, items.indices.contains(index) {
                node = items[index]
                line = node.mark?.line ?? line
            } else if case .mapping(let pairs) = node,
                let pair = pairs.first(where: { $0.key.string == key.stringValue })
            {
                line = pair.key.mark?.line ?? line
                node = pair.value
            } else {
                break
            }
        }
        return line
    }

    /// The same, for a text.
    static func line(of path: [any CodingKey], in text: String) -> Int? {
        guard let root = try? Yams.compose(yaml: text) else { return nil }
        return line(of: path, in: root)
    }

    static func render(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }

    static func explain(_ error: DecodingError) -> (path: [any CodingKey], problem: String) {
        switch error {
        case .typeMismatch(let type, let context):
            (context.codingPath, "Expected \(words(for: type)). \(context.debugDescription)")
        case .valueNotFound(let type, let context):
            (context.codingPath, "Expected \(words(for: type)), found nothing.")
        case .keyNotFound(let key, let context):
            (context.codingPath, "The key '\(key.stringValue)' is missing.")
        case .dataCorrupted(let context):
            (context.codingPath, context.debugDescription)
        @unknown default:
            ([], String(describing: error))
        }
    }

    private static func words(for type: Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Int.Type, is UInt.Type, is UInt32.Type: "a whole number"
        case is Bool.Type: "true or false"
        case is any Collection.Type: "a list"
        default: "a mapping with keys"
        }
    }
}

/// A coding key made from any text: what is needed to see the keys that a file has.
struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int?
    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }
    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
}

extension Decoder {
    /// The container of a type's keys, refusing every key that the type does not know: a misspelt key must not be passed
    /// over in silence.
    func strictContainer<Key: CodingKey & CaseIterable>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let known = Set(Key.allCases.map(\.stringValue))
        for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath + [key],
                    debugDescription: "Unknown key. Known here: \(known.sorted().joined(separator: ", "))."))
        }
        return try container(keyedBy: type)
    }
}

extension KeyedDecodingContainer {
    /// An error about one value of this container.
    func error(_ key: Key, _ problem: String) -> DecodingError {
        DecodingError.dataCorrupted(.init(codingPath: codingPath + [key], debugDescription: problem))
    }

    /// A value and a check of it.
    func decode<Value: Decodable>(
        _ type: Value.Type, _ key: Key, check: (Value) -> String?
    ) throws -> Value {
        let value = try decode(type, forKey: key)
        if let problem = check(value) {
            throw error(key, problem)
        }
        return value
    }
}
