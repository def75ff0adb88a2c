import COpenBLAS
package import Foundations
import Synchronization

/// The memory that OpenBLAS takes for itself: a buffer for each product that is computed at the same
/// time as others, kept for later ones.
///
/// Refused a buffer, OpenBLAS asks again for ever. So before a product needs one more than ever
/// before, the system is asked whether there is room; if not, the product waits until another one is
/// done. The very first buffer is asked for where an error can still be reported.
package enum ProductMemory {
  /// A buffer, 128 MiB on x86-64 and arm64, and some room for what others may take between the
  /// question and the use of the answer; in bytes.
  static let bufferBytes = (128 + 8) << 20

  /// Products under way, and how many there may be.
  private static let active = Atomic<Int>(0)
  private static let allowed = Atomic<Int>(0)
  private static let waiting = Atomic<Int>(0)
  private static let lock = NativeLock()

  /// Takes the first buffer.
  ///
  /// - Throws: `resourceExhausted` when the system refuses it.
  package static func prepare() throws(MartletError) {
    guard allowed.load(ordering: .sequentiallyConsistent) == 0 else { return }
    lock.lock()
    defer { lock.unlock() }
    guard allowed.load(ordering: .sequentiallyConsistent) == 0 else { return }
    try MemoryLimit.require(bufferBytes, for: "the buffer that OpenBLAS multiplies in")
    // OpenBLAS takes it with the first product that is large enough to need it, and keeps it.
    let size = 64
    var a = [Float](repeating: 0, count: size * size)
    let b = a
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(size), blasint(size), blasint(size), 1, b,
      blasint(size), b, blasint(size), 0, &a, blasint(size))
    allowed.store(1, ordering: .sequentiallyConsistent)
  }

  /// Runs a product.
  package static func withBuffer(_ product: () -> Void) {
    let now = active.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
    if now > allowed.load(ordering: .sequentiallyConsistent) { waitForRoom() }
    product()
    active.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    // Whoever began to wait before this load is woken, whoever begins after it sees the subtraction.
    if waiting.load(ordering: .sequentiallyConsistent) > 0 {
      lock.withLock { lock.broadcast() }
    }
  }

  /// Returns when the products under way, the caller's included, are as many as there are buffers.
  private static func waitForRoom() {
    lock.lock()
    defer { lock.unlock() }
    waiting.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { waiting.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    while true {
      let now = active.load(ordering: .sequentiallyConsistent)
      let room = allowed.load(ordering: .sequentiallyConsistent)
      if now <= room { return }
      if MemoryLimit.allows(bufferBytes) {
        allowed.store(room + 1, ordering: .sequentiallyConsistent)
        continue
      }
      // Waiting, the caller is not under way: two that wait must not wait for each other.
      active.wrappingSubtract(1, ordering: .sequentiallyConsistent)
      _ = lock.wait(until: .distantFuture)
      active.wrappingAdd(1, ordering: .sequentiallyConsistent)
    }
  }
}
