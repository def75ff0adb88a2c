import CJSONC
import Foundations

/// Decodes from a json-c tree that `owner` keeps alive.
struct Reader: Decoder {
  let raw: OpaquePointer?
  let owner: JSONHandle
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// Reads one value. `key` is its place below `path`; the joint path is only built when needed.
  static func read<T: Decodable>(
    _ type: T.Type, _ raw: OpaquePointer?, owner: JSONHandle, path: [any CodingKey],
    key: (any CodingKey)? = nil
  ) throws -> T {
    if let primitive = T.self as? any JSONPrimitive.Type {
      guard let value = primitive.read(raw) as? T else {
        throw mismatch(primitive.expectation, raw, type, path: path + (key.map { [$0] } ?? []))
      }
      return value
    }
    let full = path + (key.map { [$0] } ?? [])
    do {
      return try T(from: Reader(raw: raw, owner: owner, codingPath: full))
    } catch let error as MartletError where !error.context.contains(where: { $0.key == "path" }) {
      // A value's own check knows what is wrong, but not where the value stands.
      throw error.adding("path", describe(full))
    }
  }

  static func mismatch(
    _ expectation: String, _ raw: OpaquePointer?, _ type: any Any.Type, path: [any CodingKey]
  ) -> DecodingError {
    let context = DecodingError.Context(
      codingPath: path, debugDescription: "expected \(expectation), found \(excerpt(raw))")
    return raw == nil ? .valueNotFound(type, context) : .typeMismatch(type, context)
  }

  func container<Key: CodingKey>(
    keyedBy type: Key.Type
  ) throws -> KeyedDecodingContainer<Key> {
    guard json_object_get_type(raw) == json_type_object else {
      throw Reader.mismatch("an object", raw, type, path: codingPath)
    }
    return KeyedDecodingContainer(KeyedReader(object: raw, owner: owner, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard json_object_get_type(raw) == json_type_array else {
      throw Reader.mismatch("an array", raw, [Never].self, path: codingPath)
    }
    return UnkeyedReader(array: raw, owner: owner, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }
}

extension Reader: SingleValueDecodingContainer {
  func decodeNil() -> Bool { raw == nil }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    try Reader.read(type, raw, owner: owner, path: codingPath)
  }
}

/// What stands in a document, short enough for an error.
private func excerpt(_ raw: OpaquePointer?) -> String {
  switch json_object_get_type(raw) {
  case json_type_null: "null"
  case json_type_object: "an object"
  case json_type_array: "an array of \(json_object_array_length(raw))"
  case json_type_string: "\"\((String.read(raw) ?? "").prefix(40))\""
  default: String(cString: json_object_to_json_string(raw))
  }
}
