import CJSONC

/// A type that is one JSON token.
protocol JSONPrimitive: Codable {
  /// The value of a token, or nil if the token is of another type or does not fit.
  static func read(_ raw: OpaquePointer?) -> Self?
  /// The token of this value, or nil if JSON has none.
  func write() -> JSONHandle?
  /// What a reader is told to expect.
  static var expectation: String { get }
}

extension Bool: JSONPrimitive {
  static func read(_ raw: OpaquePointer?) -> Bool? {
    json_object_get_type(raw) == json_type_boolean ? json_object_get_boolean(raw) != 0 : nil
  }
  func write() -> JSONHandle? { JSONHandle(adopting: json_object_new_boolean(self ? 1 : 0)) }
  static var expectation: String { "true or false" }
}

extension String: JSONPrimitive {
  static func read(_ raw: OpaquePointer?) -> String? {
    guard json_object_get_type(raw) == json_type_string, let text = json_object_get_string(raw)
    else { return nil }
    let length = Int(json_object_get_string_len(raw))
    return String(
      decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
  }
  func write() -> JSONHandle? {
    var copy = self
    return copy.withUTF8 { text in
      guard let length = Int32(exactly: text.count) else { return nil }
      return text.withMemoryRebound(to: CChar.self) {
        JSONHandle(adopting: json_object_new_string_len($0.baseAddress ?? emptyText, length))
      }
    }
  }
  static var expectation: String { "a string" }
}

/// json-c wants a pointer even for no bytes; this one is never read.
private var emptyText: UnsafePointer<CChar> {
  UnsafeRawPointer(StaticString("").utf8Start).assumingMemoryBound(to: CChar.self)
}

extension Double: JSONPrimitive {
  static func read(_ raw: OpaquePointer?) -> Double? {
    switch json_object_get_type(raw) {
    case json_type_double:
      let value = json_object_get_double(raw)
      return value.isFinite ? value : nil
    case json_type_int:
      return readInteger(raw).map { $0.isNegative ? -Double($0.magnitude) : Double($0.magnitude) }
    default: return nil
    }
  }
  func write() -> JSONHandle? { writeNumber(self, description) }
  static var expectation: String { "a finite number" }
}

extension Float: JSONPrimitive {
  static func read(_ raw: OpaquePointer?) -> Float? {
    guard let double = Double.read(raw) else { return nil }
    let value = Float(double)
    return value.isFinite ? value : nil
  }
  func write() -> JSONHandle? { isFinite ? writeNumber(Double(self), description) : nil }
  static var expectation: String { "a finite 32-bit number" }
}

/// The shortest text that reads back the same is Swift's own description of the number.
private func writeNumber(_ value: Double, _ text: String) -> JSONHandle? {
  value.isFinite ? JSONHandle(adopting: json_object_new_double_s(value, text)) : nil
}

/// The exact integer of a token: json-c keeps either an int64 or a uint64. A fraction of zero is
/// accepted, as other writers make no difference between `3` and `3.0`.
private func readInteger(_ raw: OpaquePointer?) -> (isNegative: Bool, magnitude: UInt64)? {
  switch json_object_get_type(raw) {
  case json_type_int:
    let value = json_object_get_int64(raw)
    return value < 0 ? (true, value.magnitude) : (false, json_object_get_uint64(raw))
  case json_type_double:
    let value = json_object_get_double(raw)
    guard let magnitude = UInt64(exactly: value.magnitude), magnitude <= 1 << 53 else { return nil }
    return (value < 0, magnitude)
  default: return nil
  }
}

extension JSONPrimitive where Self: FixedWidthInteger {
  static func read(_ raw: OpaquePointer?) -> Self? {
    guard let (isNegative, magnitude) = readInteger(raw) else { return nil }
    if isNegative {
      guard magnitude <= UInt64(1) << 63 else { return nil }
      return Self(exactly: Int64(truncatingIfNeeded: 0 &- magnitude))
    }
    return Self(exactly: magnitude)
  }
  func write() -> JSONHandle? {
    if let value = Int64(exactly: self) {
      return JSONHandle(adopting: json_object_new_int64(value))
    }
    return UInt64(exactly: self).map { JSONHandle(adopting: json_object_new_uint64($0)) }
  }
  static var expectation: String { "an integer from \(Self.min) to \(Self.max)" }
}

extension Int: JSONPrimitive {}
extension Int8: JSONPrimitive {}
extension Int16: JSONPrimitive {}
extension Int32: JSONPrimitive {}
extension Int64: JSONPrimitive {}
extension UInt: JSONPrimitive {}
extension UInt8: JSONPrimitive {}
extension UInt16: JSONPrimitive {}
extension UInt32: JSONPrimitive {}
extension UInt64: JSONPrimitive {}
