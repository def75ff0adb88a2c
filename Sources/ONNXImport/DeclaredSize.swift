import FoundationEssentials

/// How long a serialised message has to be by its own account: a model that is cut off still says how
/// long the field is that the cut went through.
enum DeclaredSize {
  /// The least number of bytes that the whole message has; nil where nothing is missing, or the bytes
  /// are not those of a message.
  static func bytes(of data: Data) -> Int? {
    data.withUnsafeBytes { buffer in
      var position = 0
      while position < buffer.count {
        guard let tag = varint(buffer, &position), (1...64).contains(tag >> 3) else { return nil }
        switch tag & 7 {
        case 0: guard varint(buffer, &position) != nil else { return nil }
        case 1: position += 8
        case 2:
          guard let length = varint(buffer, &position), length <= ModelFile.maximumSize else {
            return nil
          }
          position += Int(length)
        case 5: position += 4
        default: return nil
        }
      }
      return position > buffer.count ? position : nil
    }
  }

  private static func varint(_ buffer: UnsafeRawBufferPointer, _ position: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 63, by: 7) where position < buffer.count {
      let byte = buffer[position]
      position += 1
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }
}
