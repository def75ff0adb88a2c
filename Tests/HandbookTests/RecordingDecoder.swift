import JSONCoding

/// Decodes a JSON value and remembers which members were asked for, also those that are not there: the
/// fields that a type reads, whether the document has them or not.
final class FieldLog {
  private var asked: Set<String> = []
  private var maps: Set<String> = []

  /// The fields that `type` reads from `value`, as `outer.inner`; lists do not count as a level, and
  /// what stands below an object with free names (a dictionary) is left out.
  static func fields<T: Decodable>(of type: T.Type, from value: JSONValue) throws -> Set<String> {
    let log = FieldLog()
    _ = try T(from: RecordingDecoder(value: value, path: "", log: log))
    return log.asked.filter { field in
      !log.maps.contains { $0.isEmpty || field.hasPrefix($0 + ".") }
    }
  }

  fileprivate func ask(_ path: String, _ key: any CodingKey) -> String {
    let field = path.isEmpty ? key.stringValue : path + "." + key.stringValue
    asked.insert(field)
    return field
  }

  fileprivate func isMap(_ path: String) { maps.insert(path) }
}

/// What a decoder meets that it did not expect.
struct WrongType: Error {
  var path: String
  var expected: String
}

struct RecordingDecoder: Decoder {
  var value: JSONValue
  var path: String
  var log: FieldLog
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object = value else { throw WrongType(path: path, expected: "object") }
    return KeyedDecodingContainer(RecordingObject<Key>(decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let values) = value else { throw WrongType(path: path, expected: "list") }
    return RecordingList(decoder: self, values: values)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { RecordingScalar(decoder: self) }

  /// A number, text or boolean, or whatever decodes itself.
  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let found: Any? =
      switch value {
      case .string(let text): text as? T
      case .bool(let bool): bool as? T
      case .integer(let number): whole(number, T.self)
      case .number(let number): (number as? T) ?? (Float(number) as? T)
      case .null, .array, .object: nil
      }
    if let found = found as? T { return found }
    guard !(T.self is any PlainValue.Type) else {
      throw WrongType(path: path, expected: "\(T.self)")
    }
    return try T(from: self)
  }

  private func whole<T>(_ number: Int64, _ type: T.Type) -> T? {
    (Int(exactly: number) as? T) ?? (UInt64(exactly: number) as? T) ?? (Double(number) as? T)
      ?? (Float(number) as? T)
  }
}

/// What JSON holds without further structure.
private protocol PlainValue {}
extension String: PlainValue {}
extension Bool: PlainValue {}
extension Int: PlainValue {}
extension UInt64: PlainValue {}
extension Double: PlainValue {}
extension Float: PlainValue {}

private struct RecordingObject<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: RecordingDecoder
  var codingPath: [any CodingKey] { [] }

  /// Only what does not know its names beforehand asks for them.
  var allKeys: [Key] {
    decoder.log.isMap(decoder.path)
    guard case .object(let members) = decoder.value else { return [] }
    return members.compactMap { Key(stringValue: $0.name) }
  }

  private func member(_ key: Key) -> RecordingDecoder {
    RecordingDecoder(
      value: decoder.value[key.stringValue] ?? .null, path: decoder.log.ask(decoder.path, key),
      log: decoder.log)
  }

  func contains(_ key: Key) -> Bool { member(key).value != .null }
  func decodeNil(forKey key: Key) -> Bool { member(key).value == .null }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try member(key).decode(type)
  }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try member(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try member(key).unkeyedContainer()
  }
  func superDecoder() -> any Decoder { decoder }
  func superDecoder(forKey key: Key) -> any Decoder { member(key) }
}

private struct RecordingList: UnkeyedDecodingContainer {
  let decoder: RecordingDecoder
  let values: [JSONValue]
  var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var count: Int? { values.count }
  var isAtEnd: Bool { currentIndex >= values.count }

  init(decoder: RecordingDecoder, values: [JSONValue]) {
    self.decoder = decoder
    self.values = values
  }

  private mutating func next() throws -> RecordingDecoder {
    guard !isAtEnd else { throw WrongType(path: decoder.path, expected: "another element") }
    defer { currentIndex += 1 }
    return RecordingDecoder(value: values[currentIndex], path: decoder.path, log: decoder.log)
  }

  mutating func decodeNil() -> Bool { false }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().decode(type) }
  mutating func nestedContainer<Key: CodingKey>(
    keyedBy type: Key.Type
  ) throws -> KeyedDecodingContainer<Key> {
    try next().container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next().unkeyedContainer()
  }
  mutating func superDecoder() throws -> any Decoder { try next() }
}

private struct RecordingScalar: SingleValueDecodingContainer {
  let decoder: RecordingDecoder
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { decoder.value == .null }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.decode(type) }
}
