package import Foundations
import Glibc

/// The few file operations that Martlet needs, with errors that name the path and the reason.
package enum FileSystem {
  /// The whole content of a file, of `/proc` and `/sys` as well, whose sizes lie.
  ///
  /// - Throws: `resourceExhausted` when the file is larger than `limit`.
  package static func read(_ path: String, limit: Int = 1 << 30) throws(MartletError) -> [UInt8] {
    let file = try ReadableFile(path)
    guard file.size <= limit else { throw tooLarge(path, limit) }
    try requireMemory(file.size, path)
    var bytes = [UInt8](repeating: 0, count: max(file.size + 1, 4096))
    var filled = 0
    while true {
      let count = bytes.withUnsafeMutableBytes { buffer in
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
        return retrying { Glibc.read(file.descriptor, rest.baseAddress, rest.count) }
      }
      guard count >= 0 else { throw systemError("cannot read a file", path) }
      if count == 0 { break }
      filled += count
      guard filled <= limit else { throw tooLarge(path, limit) }
      if filled == bytes.count {
        try requireMemory(2 * bytes.count, path)
        bytes += [UInt8](repeating: 0, count: bytes.count)
      }
    }
    bytes.removeLast(bytes.count - filled)
    return bytes
  }

  /// The content of a small text file; invalid UTF-8 is an error.
  package static func readText(_ path: String, limit: Int = 16 << 20) throws(MartletError) -> String
  {
    let bytes = try read(path, limit: limit)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw MartletError(.invalidFile, "a text file is not UTF-8", context: ["file": path])
    }
    return text
  }

  /// Writes a file so that other processes see the old content or the new, never a part.
  package static func write(_ bytes: [UInt8], to path: String) throws(MartletError) {
    try writeAtomically(path) { file throws(MartletError) in try file.write(bytes) }
  }

  /// Whether anything stands at this path (after following links).
  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether a folder stands at this path.
  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether a regular file stands at this path, and no device, pipe or folder.
  package static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Makes a folder and those above it; one that exists already is no error.
  package static func createFolder(_ path: String) throws(MartletError) {
    if path.isEmpty || isFolder(path) { return }
    let parent = folder(of: path)
    if parent != path, parent != "." { try createFolder(parent) }
    guard mkdir(path, 0o777) == 0 || (errno == EEXIST && isFolder(path)) else {
      throw systemError("cannot make a folder", path)
    }
  }

  /// Removes a file or an empty folder; nothing there is no error.
  package static func remove(_ path: String) throws(MartletError) {
    guard Glibc.remove(path) == 0 || errno == ENOENT else {
      throw systemError("cannot remove", path)
    }
  }

  /// The path without its last part: `.` for a bare name.
  package static func folder(of path: String) -> String {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  /// The last part of a path.
  package static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private static func requireMemory(_ bytes: Int, _ path: String) throws(MartletError) {
    do throws(MartletError) {
      try MemoryLimit.require(bytes, for: "a file")
    } catch {
      throw error.adding("file", path)
    }
  }

  private static func tooLarge(_ path: String, _ limit: Int) -> MartletError {
    MartletError(
      .resourceExhausted, "a file is larger than allowed",
      context: ["file": path, "limit_bytes": "\(limit)"])
  }
}

/// Repeats a system call that a signal has interrupted.
package func retrying(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

/// The error for the current `errno`.
package func systemError(_ message: String, _ path: String) -> MartletError {
  let number = errno
  let code: MartletError.Code =
    switch number {
    case ENOENT, ENOTDIR: .notFound
    case EACCES, EPERM, EROFS: .permissionDenied
    case ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EFBIG: .resourceExhausted
    default: .io
    }
  var text = [CChar](repeating: 0, count: 128)
  let reason = reasonText(number, &text)
  return MartletError(code, "\(message): \(reason)", context: ["file": path])
}

/// `strerror` into a buffer of the caller, as the plain one is not safe between threads.
private func reasonText(_ number: Int32, _ buffer: inout [CChar]) -> String {
  guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
  return String(
    decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
