/// The fields of an object. Reading one takes it out: what is left at the end was misspelt.
final class Fields {
    private var rest: [String: JSON]

    init(_ json: JSON) throws {
        guard case .object(let fields) = json else { throw Mismatch("an object is needed, not \(json)") }
        rest = fields
    }

    func optional<T>(_ name: String, _ read: (JSON) throws -> T) throws -> T? {
        switch rest.removeValue(forKey: name) {
        case .none, .some(.null): nil
        case .some(let value): try read(value)
        }
    }

    func required<T>(_ name: String, _ read: (JSON) throws -> T) throws -> T {
        guard let value = try optional(name, read) else { throw Mismatch("\(name) is missing") }
        return value
    }

    /// Whether the field is there, even if it is null.
    func has(_ name: String) -> Bool {
        rest[name] != nil
    }

    func end() throws {
        guard rest.isEmpty else { throw Mismatch("nobody knows \(rest.keys.sorted())") }
    }
}

extension JSON {
    func record<T>(_ make: (Fields) throws -> T) throws -> T {
        let fields = try Fields(self)
        let value = try make(fields)
        try fields.end()
        return value
    }

    func list<T>(_ read: (JSON) throws -> T) throws -> [T] {
        guard case .list(let items) = self else { throw Mismatch("a list is needed, not \(self)") }
        return try items.map(read)
    }

    func text() throws -> String {
        guard case .text(let text) = self else { throw Mismatch("a text is needed, not \(self)") }
        return text
    }

    func bool() throws -> Bool {
        guard case .bool(let bool) = self else { throw Mismatch("true or false is needed, not \(self)") }
        return bool
    }

    func double() throws -> Double {
        guard case .number(let number) = self else { throw Mismatch("a number is needed, not \(self)") }
        return number
    }

    func integer<T: FixedWidthInteger>() throws -> T {
        guard case .number(let number) = self, let integer = T(exactly: number) else {
            throw Mismatch("an integer is needed, not \(self)")
        }
        return integer
    }

    /// One of these variants, by its name.
    func variant<T>(of variants: [T]) throws -> T {
        let name = try text()
        guard let variant = variants.first(where: { capitalized("\($0)") == name }) else {
            throw Mismatch("there is no \(T.self) \(name)")
        }
        return variant
    }
}
