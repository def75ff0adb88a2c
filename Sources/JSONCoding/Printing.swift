import CJSONC

extension JSONHandle {
  /// The text of the tree, valid within `body`.
  func withText<R>(pretty: Bool, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    var flags = JSON_C_TO_STRING_NOSLASHESCAPE
    if pretty {
      flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
      compactSmallContainers(raw)
    }
    var length = 0
    let text = json_object_to_json_string_length(raw, flags, &length)
    return UnsafeRawBufferPointer(start: text, count: text == nil ? 0 : length)
      .withMemoryRebound(to: UInt8.self, body)
  }
}

/// The widest line that numbers are filled into.
private let lineWidth = 100

/// Gives empty containers and arrays of numbers a printer that does not spread them over one line
/// per element, as json-c's pretty form does.
private func compactSmallContainers(_ raw: OpaquePointer?) {
  switch json_object_get_type(raw) {
  case json_type_object:
    if json_object_object_length(raw) == 0 {
      json_object_set_serializer(raw, printEmptyObject, nil, nil)
    }
    forEachMember(raw) { compactSmallContainers($1) }
  case json_type_array:
    let elements = (0..<json_object_array_length(raw)).map { json_object_array_get_idx(raw, $0) }
    if elements.allSatisfy(isNumber) {
      json_object_set_serializer(raw, printNumbers, nil, nil)
    } else {
      elements.forEach(compactSmallContainers)
    }
  default: break
  }
}

private func isNumber(_ raw: OpaquePointer?) -> Bool {
  let type = json_object_get_type(raw)
  return type == json_type_int || type == json_type_double
}

private func append(_ text: String, to buffer: UnsafeMutablePointer<printbuf>?) -> Int32 {
  var text = text
  return text.withUTF8 { bytes in
    bytes.withMemoryRebound(to: CChar.self) {
      printbuf_memappend(buffer, $0.baseAddress, Int32($0.count))
    }
  }
}

private func printEmptyObject(
  _ raw: OpaquePointer?, _ buffer: UnsafeMutablePointer<printbuf>?, _ level: Int32, _ flags: Int32
) -> Int32 {
  append("{}", to: buffer)
}

/// `[1, 2, 3]` on one line if it fits, else as many numbers on each line as fit.
private func printNumbers(
  _ raw: OpaquePointer?, _ buffer: UnsafeMutablePointer<printbuf>?, _ level: Int32, _ flags: Int32
) -> Int32 {
  let numbers = (0..<json_object_array_length(raw)).map {
    String(cString: json_object_to_json_string(json_object_array_get_idx(raw, $0)))
  }
  let indentation = String(repeating: " ", count: 2 * (Int(level) + 1))
  let total = numbers.reduce(0) { $0 + $1.utf8.count + 2 }
  if indentation.utf8.count + total <= lineWidth {
    return append("[" + numbers.joined(separator: ", ") + "]", to: buffer)
  }
  var text = "["
  var room = 0
  for (index, number) in numbers.enumerated() {
    let piece = number + (index + 1 < numbers.count ? "," : "")
    if room < piece.utf8.count + 1 {
      text += "\n" + indentation + piece
      room = lineWidth - indentation.utf8.count - piece.utf8.count
    } else {
      text += " " + piece
      room -= piece.utf8.count + 1
    }
  }
  return append(text + "\n" + indentation.dropLast(2) + "]", to: buffer)
}
