import Foundations
import Glibc

/// The content of a file in memory, without a copy: its pages come when they are read, and go again when
/// the system needs the room. Unmapped when the last reference goes.
///
/// The length is checked when it is mapped. Whoever cuts the file short afterwards, in its place, takes
/// its pages away from everybody who has mapped it, which ends them: files in use are replaced by
/// renaming, as `FileSystem.writeAtomically` does it.
///
/// `@unchecked Sendable`: nobody writes to the bytes, and they are there until `deinit`.
final class MappedFile: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  /// Maps a file that is open.
  ///
  /// - Throws: `invalidFile` if it is shorter than when it was opened; `io` for what cannot be mapped,
  ///   such as a pipe; `resourceExhausted` without room for its addresses.
  init(_ file: ReadableFile) throws(MartletError) {
    var status = stat()
    guard fstat(file.descriptor, &status) == 0 else {
      throw systemError("cannot look at a file", file.path)
    }
    guard Int(status.st_size) >= file.size else {
      throw MartletError(
        .invalidFile, "a file ends early",
        context: ["file": file.path, "offset": "\(status.st_size)", "size": "\(file.size)"])
    }
    guard file.size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let start = mmap(nil, file.size, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
    guard let start, start != UnsafeMutableRawPointer(bitPattern: -1) else {
      throw systemError("cannot map a file", file.path)
    }
    bytes = UnsafeRawBufferPointer(start: start, count: file.size)
  }

  deinit {
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }
}
