package import Foundations
import Glibc

/// A file open for reading, closed when the last reference goes.
///
/// `read` takes an offset and keeps no position, so several threads may share one.
package final class ReadableFile: Sendable {
  /// Where the file was found.
  package let path: String
  /// The size when it was opened; 0 for `/proc` and pipes.
  package let size: Int
  let descriptor: Int32

  /// Opens a file.
  ///
  /// - Throws: `notFound`, `permissionDenied` or `io`; a folder is `invalidFile`.
  package init(_ path: String) throws(MartletError) {
    let descriptor = Int32(retrying { Int(open(path, O_RDONLY | O_CLOEXEC)) })
    guard descriptor >= 0 else { throw systemError("cannot open a file", path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = systemError("cannot look at a file", path)
      close(descriptor)
      throw error
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      close(descriptor)
      throw MartletError(
        .invalidFile, "a folder stands where a file should", context: ["file": path])
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Fills the whole of `buffer` with the bytes from `offset` on.
  ///
  /// - Throws: `invalidFile` when the file ends before.
  package func read(
    at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(MartletError) {
    guard let base = buffer.baseAddress else { return }
    var filled = 0
    while filled < buffer.count {
      let count = retrying {
        pread(descriptor, base + filled, buffer.count - filled, offset + filled)
      }
      guard count >= 0 else { throw systemError("cannot read a file", path) }
      guard count > 0 else {
        throw MartletError(
          .invalidFile, "a file ends early",
          context: ["file": path, "offset": "\(offset + filled)", "size": "\(size)"])
      }
      filled += count
    }
  }

  /// `count` bytes from `offset` on.
  ///
  /// - Throws: `invalidFile` before anything is allocated when the file is shorter;
  ///   `resourceExhausted` without memory.
  package func bytes(at offset: Int, count: Int) throws(MartletError) -> [UInt8] {
    try array(at: offset, count: count, of: UInt8.self)
  }

  /// `count` elements from `offset` on, as they lie in the (little-endian) file.
  func array<T: BitwiseCopyable>(
    at offset: Int, count: Int, of type: T.Type
  ) throws(MartletError) -> [T] {
    let (length, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<T>.stride)
    guard offset >= 0, count >= 0, !overflow, offset <= size, length <= size - offset else {
      throw MartletError(
        .invalidFile, "a file ends early",
        context: ["file": path, "offset": "\(offset)", "size": "\(size)"])
    }
    do { try MemoryLimit.require(length, for: "what a file holds") } catch {
      throw error.adding("file", path)
    }
    var failure: MartletError?
    let result = [T](unsafeUninitializedCapacity: count) { buffer, initialised in
      do throws(MartletError) {
        let whole = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
        try read(at: offset, into: UnsafeMutableRawBufferPointer(whole))
        initialised = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return result
  }
}
