import CJSONC

struct KeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let object: JSONHandle
  let codingPath: [any CodingKey]

  private func add(_ key: any CodingKey, _ value: JSONHandle) throws {
    guard !key.stringValue.utf8.contains(0) else {
      throw Writer.invalid(key.stringValue, "a name holds a NUL", codingPath)
    }
    object.add(key.stringValue, value)
  }

  func encodeNil(forKey key: Key) throws { try add(key, JSONHandle(adopting: nil)) }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try add(key, try Writer.write(value, path: codingPath, key: key))
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy keyType: NestedKey.Type, forKey key: Key
  ) -> KeyedEncodingContainer<NestedKey> {
    writer(key).container(keyedBy: keyType)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    writer(key).unkeyedContainer()
  }

  func superEncoder() -> any Encoder { writer(NameKey("super")) }

  func superEncoder(forKey key: Key) -> any Encoder { writer(key) }

  private func writer(_ key: any CodingKey) -> Writer {
    let object = object
    // A name that C would cut short cannot be reported from here; it is cut at the NUL.
    return Writer(path: codingPath + [key]) { object.add(key.stringValue, $0) }
  }
}

struct UnkeyedWriter: UnkeyedEncodingContainer {
  let array: JSONHandle
  let codingPath: [any CodingKey]

  var count: Int { Int(json_object_array_length(array.raw)) }

  func encodeNil() { array.append(JSONHandle(adopting: nil)) }

  func encode<T: Encodable>(_ value: T) throws {
    array.append(try Writer.write(value, path: codingPath, key: IndexKey(count)))
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy keyType: NestedKey.Type
  ) -> KeyedEncodingContainer<NestedKey> {
    writer().container(keyedBy: keyType)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { writer().unkeyedContainer() }

  func superEncoder() -> any Encoder { writer() }

  /// An encoder for the next element, which stands as null until it is set.
  private func writer() -> Writer {
    let array = array
    let index = count
    array.append(JSONHandle(adopting: nil))
    return Writer(path: codingPath + [IndexKey(index)]) { array.replace(index, $0) }
  }
}
