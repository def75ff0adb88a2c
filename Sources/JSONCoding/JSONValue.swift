import CJSONC

/// Any JSON value, for documents whose form is not known beforehand.
package enum JSONValue: Sendable, Equatable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// A number without fraction or exponent that fits 64 bits.
  case integer(Int64)
  /// Any other number.
  case number(Double)
  /// Text.
  case string(String)
  /// Values in order.
  case array([JSONValue])
  /// Members in the order of the document.
  case object([Member])

  /// One member of an object.
  package struct Member: Sendable, Equatable {
    /// Its name.
    package var name: String
    /// Its value.
    package var value: JSONValue

    /// Makes a member.
    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The member of an object with this name; nil for any other value.
  package subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }
}

extension JSONValue: Codable {
  /// Decodes any value.
  package init(from decoder: any Decoder) throws {
    if let reader = decoder as? Reader {
      self.init(reader.raw)
      return
    }
    if let container = try? decoder.container(keyedBy: NameKey.self) {
      self = .object(
        try container.allKeys.map {
          Member($0.stringValue, try container.decode(JSONValue.self, forKey: $0))
        })
      return
    }
    if var container = try? decoder.unkeyedContainer() {
      var values: [JSONValue] = []
      while !container.isAtEnd { values.append(try container.decode(JSONValue.self)) }
      self = .array(values)
      return
    }
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else {
      self = .number(try container.decode(Double.self))
    }
  }

  /// Encodes the value; members keep their order.
  package func encode(to encoder: any Encoder) throws {
    switch self {
    case .object(let members):
      var container = encoder.container(keyedBy: NameKey.self)
      for member in members {
        try container.encode(member.value, forKey: NameKey(member.name))
      }
    case .array(let values):
      var container = encoder.unkeyedContainer()
      for value in values { try container.encode(value) }
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case .bool(let value): try encodeSingle(value, to: encoder)
    case .integer(let value): try encodeSingle(value, to: encoder)
    case .number(let value): try encodeSingle(value, to: encoder)
    case .string(let value): try encodeSingle(value, to: encoder)
    }
  }

  private func encodeSingle<T: Encodable>(_ value: T, to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }
}

extension JSONValue {
  /// The value of a json-c tree, whose depth the parser has bounded.
  fileprivate init(_ raw: OpaquePointer?) {
    switch json_object_get_type(raw) {
    case json_type_object:
      var members: [Member] = []
      forEachMember(raw) { members.append(Member(String(cString: $0), JSONValue($1))) }
      self = .object(members)
    case json_type_array:
      self = .array(
        (0..<json_object_array_length(raw)).map { JSONValue(json_object_array_get_idx(raw, $0)) })
    case json_type_boolean: self = .bool(json_object_get_boolean(raw) != 0)
    case json_type_string: self = .string(String.read(raw) ?? "")
    case json_type_int:
      self = Int64.read(raw).map(JSONValue.integer) ?? .number(json_object_get_double(raw))
    case json_type_double: self = .number(json_object_get_double(raw))
    default: self = .null
    }
  }
}
