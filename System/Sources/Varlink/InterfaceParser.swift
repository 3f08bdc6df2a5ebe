// SPDX-License-Identifier: GPL-3.0-or-later

/// Reads the text of an interface.
struct InterfaceParser {
    private struct Token {
        let text: String
        let line: Int
    }

    private var tokens: [Token] = []
    private var position = 0

    init(_ text: String) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var word = ""
            func isWord(_ character: Character) -> Bool {
                character.isASCII && (character.isLetter || character.isNumber || character == "." || character == "_")
                    || character == "-"
            }
            for character in line.prefix(while: { $0 != "#" }) {
                // `-` is part of an interface's name, `->` is a sign of its own.
                if character == ">", word == "-" {
                    tokens.append(Token(text: "->", line: index + 1))
                    word = ""
                } else if isWord(character) {
                    word.append(character)
                } else {
                    if !word.isEmpty { tokens.append(Token(text: word, line: index + 1)) }
                    word = ""
                    if !character.isWhitespace { tokens.append(Token(text: String(character), line: index + 1)) }
                }
            }
            if !word.isEmpty { tokens.append(Token(text: word, line: index + 1)) }
        }
    }

    mutating func interface(_ text: String) throws(InterfaceFailure) -> VarlinkInterface {
        try expect("interface")
        let name = try word("the interface's name")
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, parts.allSatisfy({ $0.first?.isLetter == true || $0.first?.isNumber == true }) else {
            throw failure("“\(name)” is no name of an interface")
        }
        var types: [String: VarlinkInterface.Kind] = [:]
        var methods: [String: VarlinkInterface.Method] = [:]
        var errors: [String: [VarlinkInterface.Field]] = [:]
        while let keyword = current {
            position += 1
            let name = try word("a name")
            guard name.first?.isUppercase == true, name.allSatisfy({ $0.isLetter || $0.isNumber }) else {
                throw failure("“\(name)” must start with a capital letter, and have letters and digits only")
            }
            guard types[name] == nil, methods[name] == nil, errors[name] == nil else {
                throw failure("“\(name)” is declared twice")
            }
            switch keyword {
            case "type": types[name] = try group(depth: 0)
            case "method":
                let parameters = try fields()
                try expect("->")
                methods[name] = VarlinkInterface.Method(parameters: parameters, reply: try fields())
            case "error": errors[name] = try fields()
            default: throw failure("“\(keyword)” is neither type, method nor error")
            }
        }
        return VarlinkInterface(name: name, text: text, types: types, methods: methods, errors: errors)
    }

    private mutating func fields() throws(InterfaceFailure) -> [VarlinkInterface.Field] {
        guard case .structure(let fields) = try group(depth: 0) else {
            throw failure("fields with types should be here")
        }
        return fields
    }

    /// A structure `(a: int, b: string)` or an enumeration `(one, two)`.
    private mutating func group(depth: Int) throws(InterfaceFailure) -> VarlinkInterface.Kind {
        try expect("(")
        var fields: [VarlinkInterface.Field] = []
        var names: [String] = []
        var seen: Set<String> = []
        if current == ")" {
            position += 1
            return .structure([])
        }
        while true {
            let name = try word("a field's name")
            guard seen.insert(name).inserted else { throw failure("the field “\(name)” is there twice") }
            names.append(name)
            if current == ":" {
                position += 1
                fields.append(VarlinkInterface.Field(name: name, kind: try kind(depth: depth)))
            }
            if current == "," {
                position += 1
                continue
            }
            try expect(")")
            break
        }
        guard fields.isEmpty || fields.count == names.count else { throw failure("only some fields have a type") }
        return fields.isEmpty ? .enumeration(names) : .structure(fields)
    }

    private mutating func kind(depth: Int) throws(InterfaceFailure) -> VarlinkInterface.Kind {
        guard depth < JSONParser.depthLimit else { throw failure("a type within too many others") }
        switch current {
        case "?":
            position += 1
            return .optional(try kind(depth: depth + 1))
        case "[":
            position += 1
            if current == "string" {
                position += 1
                try expect("]")
                return .dictionary(try kind(depth: depth + 1))
            }
            try expect("]")
            return .array(try kind(depth: depth + 1))
        case "(": return try group(depth: depth + 1)
        default: break
        }
        switch try word("a type") {
        case "bool": return .bool
        case "int": return .int
        case "float": return .float
        case "string": return .string
        case "object": return .object
        case "any": return .any
        case let name where name.first?.isUppercase == true: return .named(name)
        case let name: throw failure("“\(name)” is no type")
        }
    }

    private var current: String? { position < tokens.count ? tokens[position].text : nil }

    private mutating func word(_ what: String) throws(InterfaceFailure) -> String {
        guard let text = current, text.first?.isLetter == true || text.first?.isNumber == true else {
            throw failure("\(what) should be here")
        }
        position += 1
        return text
    }

    private mutating func expect(_ text: String) throws(InterfaceFailure) {
        guard current == text else { throw failure("“\(text)” should be here") }
        position += 1
    }

    private func failure(_ problem: String) -> InterfaceFailure {
        let token = position < tokens.count ? tokens[position] : tokens.last
        return InterfaceFailure(line: token?.line ?? 1, problem: problem)
    }
}
