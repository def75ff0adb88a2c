package import Tensors

extension SafetensorsHeader {
  /// Replaces the content of `buffer` by a header for tensors that follow it one after another.
  ///
  /// The buffer keeps its capacity, so that one buffer serves message after message.
  ///
  /// - Parameters:
  ///   - tensors: in the order of their data.
  ///   - metadata: strings for `__metadata__`, in this order; none leaves the member out.
  package static func encode(
    into buffer: inout [UInt8],
    tensors: [(name: String, elementType: ElementType, shape: Shape)],
    metadata: [(key: String, value: String)] = []
  ) {
    buffer.removeAll(keepingCapacity: true)
    buffer.append(contentsOf: repeatElement(0, count: 8))
    buffer.append(UInt8(ascii: "{"))
    if !metadata.isEmpty {
      append("\"__metadata__\":{", to: &buffer)
      for (index, pair) in metadata.enumerated() {
        if index > 0 { buffer.append(UInt8(ascii: ",")) }
        appendString(pair.key, to: &buffer)
        buffer.append(UInt8(ascii: ":"))
        appendString(pair.value, to: &buffer)
      }
      buffer.append(UInt8(ascii: "}"))
    }
    var place = 0
    for (index, tensor) in tensors.enumerated() {
      if index > 0 || !metadata.isEmpty { buffer.append(UInt8(ascii: ",")) }
      let end = place + tensor.shape.count * tensor.elementType.size
      appendString(tensor.name, to: &buffer)
      append(":{\"dtype\":\"", to: &buffer)
      buffer.append(contentsOf: tensor.elementType.rawValue.utf8)
      append("\",\"shape\":[", to: &buffer)
      for (axis, extent) in tensor.shape.dimensions.enumerated() {
        if axis > 0 { buffer.append(UInt8(ascii: ",")) }
        appendInteger(extent, to: &buffer)
      }
      append("],\"data_offsets\":[", to: &buffer)
      appendInteger(place, to: &buffer)
      buffer.append(UInt8(ascii: ","))
      appendInteger(end, to: &buffer)
      append("]}", to: &buffer)
      place = end
    }
    buffer.append(UInt8(ascii: "}"))
    while buffer.count % 8 != 0 { buffer.append(UInt8(ascii: " ")) }
    let length = UInt64(buffer.count - 8)
    for byte in 0..<8 { buffer[byte] = UInt8(truncatingIfNeeded: length >> (8 * byte)) }
  }

  private static func append(_ text: StaticString, to buffer: inout [UInt8]) {
    buffer.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private static func appendInteger(_ value: Int, to buffer: inout [UInt8]) {
    if value >= 10 { appendInteger(value / 10, to: &buffer) }
    buffer.append(UInt8(0x30 + value % 10))
  }

  private static func appendString(_ text: String, to buffer: inout [UInt8]) {
    buffer.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        buffer.append(UInt8(ascii: "\\"))
        buffer.append(byte)
      case ..<0x20:
        append("\\u00", to: &buffer)
        for digit in [byte >> 4, byte & 15] {
          buffer.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
      default: buffer.append(byte)
      }
    }
    buffer.append(UInt8(ascii: "\""))
  }
}
