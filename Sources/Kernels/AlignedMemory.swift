import Foundations
import Glibc

/// Floats at a 64-byte boundary, owned by one object and freed with it.
///
/// Large blocks ask for huge pages: streaming weights through 4 KiB pages costs a page walk every
/// few hundred nanoseconds.
package final class AlignedMemory {
  package let base: UnsafeMutablePointer<Float>
  package let count: Int

  /// Room for `count` floats, zeros unless the caller is about to write them all.
  /// Nil when the system has no more memory.
  package init?(count: Int, zeroed: Bool = true) {
    let (bytes, overflow) = max(count, 16).multipliedReportingOverflow(
      by: MemoryLayout<Float>.stride)
    let hugePage = 2 << 20
    let alignment = bytes >= 2 * hugePage ? hugePage : 64
    var raw: UnsafeMutableRawPointer?
    guard !overflow, MemoryLimit.allows(bytes), posix_memalign(&raw, alignment, bytes) == 0, let raw
    else { return nil }
    if alignment == hugePage { madvise(raw, bytes, MADV_HUGEPAGE) }
    if zeroed { memset(raw, 0, bytes) }
    base = raw.bindMemory(to: Float.self, capacity: max(count, 16))
    self.count = count
  }

  deinit { free(base) }
}
