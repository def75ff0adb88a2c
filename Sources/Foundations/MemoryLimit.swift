import Glibc

/// What the system lets this process have.
///
/// Where Swift is refused memory it ends the process without a word, and so do many C libraries. So
/// whoever is about to need much, by a size that a file, a model or a message says, asks here first.
package enum MemoryLimit {
  /// Requests below this are too small to be worth a question, in bytes.
  static let smallest = 1 << 20

  /// The most that the process may map (`ulimit -v`) or write to (`ulimit -d`), in bytes; nil if there
  /// is no limit but the machine's.
  package static var bytes: Int? {
    [RLIMIT_AS, RLIMIT_DATA].compactMap { resource in
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur != .max
      else { return nil }
      return Int(clamping: limit.rlim_cur)
    }.min()
  }

  /// Whether there is such a limit.
  package static var isSet: Bool { bytes != nil }

  /// What is left to everything that is too small to ask for, in bytes, where there is a limit.
  static let reserve = 16 << 20

  /// Whether so much memory can be had now, in one piece.
  package static func allows(_ bytes: Int) -> Bool {
    guard bytes >= smallest else { return true }
    let (length, overflow) = bytes.addingReportingOverflow(isSet ? reserve : 0)
    guard !overflow else { return false }
    let block = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let block, block != UnsafeMutableRawPointer(bitPattern: -1) else { return false }
    munmap(block, length)
    return true
  }

  /// Asks for memory before it is needed.
  ///
  /// - Parameter purpose: ends the sentence "there is no memory for …".
  /// - Throws: `resourceExhausted` when the system refuses it.
  package static func require(
    _ count: Int, of size: Int = 1, for purpose: @autoclosure () -> String
  ) throws(MartletError) {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
    guard overflow || !allows(bytes) else { return }
    throw refusal(of: overflow ? .max : bytes, for: purpose())
  }

  /// The error that says so.
  package static func refusal(of bytes: Int, for purpose: String) -> MartletError {
    var error = MartletError(
      .resourceExhausted, "there is no memory for \(purpose)", context: ["bytes": "\(bytes)"])
    if let limit = self.bytes {
      error = error.adding("limit", "\(limit)")
      error.hint =
        "the process may have so much and no more: raise the limit (ulimit -v, ulimit -d)"
    } else {
      error.hint = "free memory, or use a smaller model, a smaller batch or a larger machine"
    }
    return error
  }
}
