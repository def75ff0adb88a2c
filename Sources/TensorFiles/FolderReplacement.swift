package import Foundations
import Glibc

extension FileSystem {
  /// Removes a folder of files; folders inside it are refused, so nothing deep is ever deleted.
  ///
  /// - Throws: `io` or `permissionDenied`; `notFound` if there is no such folder.
  package static func removeFlatFolder(_ folder: String) throws(MartletError) {
    for entry in try list(folder, recursive: false) where !entry.isFolder {
      try remove(folder + "/" + entry.path)
    }
    guard rmdir(folder) == 0 else {
      throw MartletError(
        .io, "a folder cannot be removed: \(String(cString: strerror(errno)))",
        context: ["folder": folder])
    }
  }

  /// Moves a finished folder to its place, replacing a flat folder that is there.
  ///
  /// At every moment the old folder or the new one is there whole, under its name or, between two
  /// renamings, under `path.old`.
  ///
  /// - Throws: `io` or `permissionDenied`; what was there before is then still there.
  package static func moveFolder(_ folder: String, to path: String) throws(MartletError) {
    guard exists(path) else { return try move(folder, to: path) }
    let old = path + ".old"
    if exists(old) { try removeFlatFolder(old) }
    try move(path, to: old)
    do throws(MartletError) {
      try move(folder, to: path)
    } catch {
      try? move(old, to: path)
      throw error
    }
    try removeFlatFolder(old)
  }

  private static func move(_ folder: String, to path: String) throws(MartletError) {
    guard rename(folder, path) == 0 else {
      throw MartletError(
        .io, "a folder cannot be moved: \(String(cString: strerror(errno)))",
        context: ["from": folder, "to": path])
    }
  }
}
