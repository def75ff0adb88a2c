import Glibc

/// Bytes that stay where they are, and as they are, for as long as anybody refers to them: in memory of
/// their own, or in somebody else's, such as a mapped file's.
///
/// `@unchecked Sendable`: the bytes are written before `init` returns and never after.
package final class FixedBytes: @unchecked Sendable {
  /// The bytes; those in memory of their own begin at a cache line.
  package let bytes: UnsafeRawBufferPointer
  /// Who keeps the memory; nil for memory of their own.
  private let owner: (any AnyObject & Sendable)?

  /// Bytes in memory that an object keeps unchanged while it lives.
  package init(_ bytes: UnsafeRawBufferPointer, in owner: any AnyObject & Sendable) {
    self.bytes = bytes
    self.owner = owner
  }

  /// Bytes in memory of their own; nil when the system has none.
  ///
  /// - Parameter write: writes all of them.
  package init?(count: Int, write: (UnsafeMutableRawBufferPointer) -> Void) {
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, max(count, 64)) == 0, let memory else { return nil }
    let buffer = UnsafeMutableRawBufferPointer(start: memory, count: count)
    write(buffer)
    bytes = UnsafeRawBufferPointer(buffer)
    owner = nil
  }

  deinit {
    if owner == nil { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }
  }
}
