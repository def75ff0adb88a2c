import CZlib

/// Bytes deflated by zlib (RFC 1950), at its fastest level.
package enum Deflate {
  /// The bytes in less room; nil unless they fit into `limit`.
  package static func compress(_ raw: UnsafeRawBufferPointer, atMost limit: Int) -> [UInt8]? {
    guard limit > 0 else { return nil }
    let source = raw.bindMemory(to: UInt8.self)
    let result = [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialised in
      var length = UInt(limit)
      let status = compress2(
        buffer.baseAddress, &length, source.baseAddress, UInt(source.count), Z_BEST_SPEED)
      initialised = status == Z_OK ? Int(length) : 0
    }
    return result.isEmpty ? nil : result
  }

  /// Restores bytes of a known length; never writes beyond `target`, whatever the input says.
  ///
  /// - Returns: whether exactly `target` was filled.
  package static func expand(
    _ stored: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    let source = stored.bindMemory(to: UInt8.self)
    var length = UInt(target.count)
    let status = uncompress(
      target.baseAddress, &length, source.baseAddress, UInt(source.count))
    return status == Z_OK && Int(length) == target.count
  }
}
