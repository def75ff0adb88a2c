package import Foundations
import Glibc

/// The new content of a file while it is being written.
package struct FileWriter: ~Copyable {
  let descriptor: Int32
  let path: String

  /// Appends bytes.
  package borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(MartletError) {
    guard let base = bytes.baseAddress else { return }
    var written = 0
    while written < bytes.count {
      let count = retrying { Glibc.write(descriptor, base + written, bytes.count - written) }
      guard count >= 0 else { throw systemError("cannot write a file", path) }
      written += count
    }
  }

  /// Appends the elements of an array as they lie in memory.
  package borrowing func write<T: BitwiseCopyable>(_ elements: [T]) throws(MartletError) {
    try elements.withUnsafeBufferPointer { buffer throws(MartletError) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }
}

extension FileSystem {
  /// Writes a file through a temporary one in the same folder, which is synchronised and renamed
  /// once `body` has succeeded, and removed if anything fails. A device or pipe, such as `/dev/stdout`,
  /// is written into: nothing may take its place.
  package static func writeAtomically(
    _ path: String, _ body: (borrowing FileWriter) throws(MartletError) -> Void
  ) throws(MartletError) {
    if exists(path), !isRegularFile(path), !isFolder(path) { return try writeInto(path, body) }
    let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0...UInt32.max)).partial"
    let descriptor = Int32(
      retrying { Int(open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)) })
    guard descriptor >= 0 else { throw systemError("cannot make a file", path) }
    do throws(MartletError) {
      do throws(MartletError) {
        try body(FileWriter(descriptor: descriptor, path: path))
        guard fsync(descriptor) == 0 || errno == EINVAL else {
          throw systemError("cannot write a file", path)
        }
      } catch {
        close(descriptor)
        throw error
      }
      // A full network disk may say so only here.
      guard close(descriptor) == 0 else { throw systemError("cannot write a file", path) }
      guard rename(temporary, path) == 0 else { throw systemError("cannot replace a file", path) }
    } catch {
      unlink(temporary)
      throw error
    }
    synchroniseFolder(folder(of: path))
  }

  private static func writeInto(
    _ path: String, _ body: (borrowing FileWriter) throws(MartletError) -> Void
  ) throws(MartletError) {
    let descriptor = Int32(retrying { Int(open(path, O_WRONLY | O_CLOEXEC)) })
    guard descriptor >= 0 else { throw systemError("cannot write a file", path) }
    do throws(MartletError) {
      try body(FileWriter(descriptor: descriptor, path: path))
    } catch {
      close(descriptor)
      throw error
    }
    guard close(descriptor) == 0 else { throw systemError("cannot write a file", path) }
  }

  /// Makes the new name itself durable; not every file system can, so failure is no error.
  private static func synchroniseFolder(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
