import CJSONC

struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let object: OpaquePointer?
  let owner: JSONHandle
  let codingPath: [any CodingKey]

  var allKeys: [Key] {
    var keys: [Key] = []
    forEachMember(object) { name, _ in
      if let key = Key(stringValue: String(cString: name)) { keys.append(key) }
    }
    return keys
  }

  /// The member's value (nil inside for null), or nil if there is none.
  private func member(_ key: any CodingKey) -> OpaquePointer?? {
    let name = key.stringValue
    // The parser refuses names with a NUL, and a C string would end there.
    guard !name.utf8.contains(0) else { return nil }
    var value: OpaquePointer?
    return json_object_object_get_ex(object, name, &value) != 0 ? .some(value) : nil
  }

  private func require(_ key: Key) throws -> OpaquePointer? {
    guard let value = member(key) else {
      throw DecodingError.keyNotFound(
        key, .init(codingPath: codingPath, debugDescription: "missing"))
    }
    return value
  }

  func contains(_ key: Key) -> Bool { member(key) != nil }

  func decodeNil(forKey key: Key) throws -> Bool { try require(key) == nil }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try Reader.read(type, try require(key), owner: owner, path: codingPath, key: key)
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<NestedKey> {
    try reader(key, try require(key)).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try reader(key, try require(key)).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder {
    let key = NameKey("super")
    return reader(key, member(key) ?? nil)
  }

  func superDecoder(forKey key: Key) throws -> any Decoder { reader(key, try require(key)) }

  private func reader(_ key: any CodingKey, _ raw: OpaquePointer?) -> Reader {
    Reader(raw: raw, owner: owner, codingPath: codingPath + [key])
  }
}

struct UnkeyedReader: UnkeyedDecodingContainer {
  let array: OpaquePointer?
  let owner: JSONHandle
  let codingPath: [any CodingKey]
  let length: Int
  var currentIndex = 0

  init(array: OpaquePointer?, owner: JSONHandle, codingPath: [any CodingKey]) {
    self.array = array
    self.owner = owner
    self.codingPath = codingPath
    length = Int(json_object_array_length(array))
  }

  var count: Int? { length }
  var isAtEnd: Bool { currentIndex >= length }

  private func element() throws -> OpaquePointer? {
    guard !isAtEnd else {
      throw DecodingError.valueNotFound(
        Never.self,
        .init(
          codingPath: codingPath + [IndexKey(currentIndex)],
          debugDescription: "the array has only \(length) elements"))
    }
    return json_object_array_get_idx(array, currentIndex)
  }

  mutating func decodeNil() throws -> Bool {
    guard try element() == nil else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let value = try Reader.read(
      type, try element(), owner: owner, path: codingPath, key: IndexKey(currentIndex))
    currentIndex += 1
    return value
  }

  mutating func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type
  ) throws -> KeyedDecodingContainer<NestedKey> {
    let container = try reader().container(keyedBy: type)
    currentIndex += 1
    return container
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let container = try reader().unkeyedContainer()
    currentIndex += 1
    return container
  }

  mutating func superDecoder() throws -> any Decoder {
    let decoder = try reader()
    currentIndex += 1
    return decoder
  }

  private func reader() throws -> Reader {
    Reader(
      raw: try element(), owner: owner, codingPath: codingPath + [IndexKey(currentIndex)])
  }
}
