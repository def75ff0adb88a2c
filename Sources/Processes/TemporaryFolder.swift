package import Foundations
import Glibc

/// A private folder (mode 0700) that exists as long as its scope.
package struct TemporaryFolder: ~Copyable, Sendable {
  /// Its absolute path.
  package let path: String

  /// Makes a folder under `$TMPDIR`, or under `/tmp` when that is not set or so long that a socket
  /// inside the folder would exceed the 107 bytes a socket path may have.
  ///
  /// - Throws: `io` when it cannot be made.
  package init(prefix: String = "martlet") throws(MartletError) {
    var parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    while parent.count > 1, parent.hasSuffix("/") { parent.removeLast() }
    if !parent.hasPrefix("/") || parent.utf8.count > 60 { parent = "/tmp" }
    var template = Array("\(parent)/\(prefix)-XXXXXX".utf8CString)
    // What mkdtemp returns points into the template, so it is read while that stays where it is.
    let made: String? = template.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return nil }
      return mkdtemp(base).map { String(cString: $0) }
    }
    guard let made else {
      throw MartletError(
        .io, "A temporary folder cannot be made: \(String(cString: strerror(errno)))",
        context: ["folder": parent])
    }
    path = made
  }

  deinit { removeTree(path) }

  /// Runs `body` with a new folder, and removes the folder afterwards.
  package static func with<Result>(
    prefix: String = "martlet", _ body: (String) throws -> Result
  ) throws -> Result {
    let folder = try TemporaryFolder(prefix: prefix)
    return try body(folder.path)
  }
}

/// Removes a folder and what is in it, without following links.
func removeTree(_ path: String) {
  guard let stream = opendir(path) else {
    unlink(path)
    return
  }
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name == "." || name == ".." { continue }
    let child = "\(path)/\(name)"
    var status = stat()
    if lstat(child, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      removeTree(child)
    } else {
      unlink(child)
    }
  }
  closedir(stream)
  rmdir(path)
}
