import CJSONC

/// Encodes one value into a json-c tree.
final class Writer: Encoder {
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  /// What the value has become so far.
  private(set) var result: JSONHandle?
  /// Puts the result into its parent, for encoders that outlive the call that made them (`super`).
  private let attach: ((JSONHandle) -> Void)?

  init(path: [any CodingKey], attach: ((JSONHandle) -> Void)? = nil) {
    codingPath = path
    self.attach = attach
  }

  static let depthLimit = JSON.Limits.standard.depth

  /// Writes one value. `key` is its place below `path`; the joint path is only built when needed.
  static func write<T: Encodable>(
    _ value: T, path: [any CodingKey], key: (any CodingKey)? = nil
  ) throws -> JSONHandle {
    if let primitive = value as? any JSONPrimitive, T.self is any JSONPrimitive.Type {
      guard let handle = primitive.write() else {
        throw invalid(value, "\(value) is not a JSON value", path + (key.map { [$0] } ?? []))
      }
      return handle
    }
    let full = path + (key.map { [$0] } ?? [])
    guard full.count < depthLimit else {
      throw invalid(value, "nested deeper than \(depthLimit) levels", full)
    }
    let writer = Writer(path: full)
    try value.encode(to: writer)
    guard let result = writer.result else {
      throw invalid(value, "\(T.self) encoded nothing", full)
    }
    return T.self is any UnorderedMembers.Type ? sortedByName(result) : result
  }

  static func invalid(_ value: Any, _ reason: String, _ path: [any CodingKey]) -> EncodingError {
    .invalidValue(value, .init(codingPath: path, debugDescription: reason))
  }

  /// The container that the value has asked for, the same one each time.
  private func container(
    _ type: json_type, _ make: () -> OpaquePointer?
  ) -> JSONHandle {
    if let result {
      precondition(json_object_get_type(result.raw) == type, "one value, two kinds of container")
      return result
    }
    let handle = JSONHandle(adopting: make())
    set(handle)
    return handle
  }

  private func set(_ handle: JSONHandle) {
    result = handle
    attach?(handle)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(
      KeyedWriter(
        object: container(json_type_object, json_object_new_object), codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    UnkeyedWriter(array: container(json_type_array, json_object_new_array), codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension Writer: SingleValueEncodingContainer {
  func encodeNil() { set(JSONHandle(adopting: nil)) }

  func encode<T: Encodable>(_ value: T) throws {
    set(try Writer.write(value, path: codingPath))
  }
}

/// A type whose members come in an order that changes from run to run.
private protocol UnorderedMembers {}
extension Dictionary: UnorderedMembers {}

/// The same object with its members sorted; anything but an object unchanged.
private func sortedByName(_ handle: JSONHandle) -> JSONHandle {
  guard json_object_get_type(handle.raw) == json_type_object else { return handle }
  var members: [(name: String, value: JSONHandle)] = []
  forEachMember(handle.raw) { members.append((String(cString: $0), JSONHandle(retaining: $1))) }
  members.sort { $0.name < $1.name }
  let sorted = JSONHandle(adopting: json_object_new_object())
  for (name, value) in members { sorted.add(name, value) }
  return sorted
}
