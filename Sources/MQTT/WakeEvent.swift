import CMosquitto
import Glibc

/// An eventfd: one thread polls it, any thread may signal it.
///
/// It is written at most once per wait, because callers check a flag under the client's lock first.
final class WakeEvent: Sendable {
  let descriptor: Int32

  init() {
    // EFD_CLOEXEC | EFD_NONBLOCK; the constants are an enum that older headers import differently.
    descriptor = eventfd(0, Int32(0o2000000 | 0o4000))
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  func signal() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  func drain() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }
}
