package import Foundations
import TensorFiles

/// The files of a recording that was written in pieces: `flight-000001.rec` and so on for
/// `flight.rec`.
package enum RecordFiles {
  /// The file with a number.
  static func name(_ path: String, number: Int) -> String {
    let (stem, ending) = split(path)
    let digits = String(number)
    return stem + "-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ending
  }

  /// The numbered files that exist, in order.
  static func numbered(
    _ path: String
  ) throws(MartletError) -> [(number: Int, path: String)] {
    let folder = FileSystem.folder(of: path)
    guard FileSystem.isFolder(folder) else {
      throw MartletError(
        .notFound, "the folder of a recording does not exist", context: ["file": path])
    }
    let (stem, ending) = split(FileSystem.name(of: path))
    let prefix = path.dropLast(FileSystem.name(of: path).utf8.count)
    return try FileSystem.names(in: folder).compactMap { name -> (number: Int, path: String)? in
      guard name.hasPrefix(stem + "-"), name.hasSuffix(ending) else { return nil }
      let digits = name.dropFirst(stem.count + 1).dropLast(ending.count)
      guard digits.count >= 6, digits.allSatisfy({ $0.isNumber && $0.isASCII }),
        let number = Int(digits)
      else { return nil }
      return (number, prefix + name)
    }.sorted { $0.number < $1.number }
  }

  /// The files that a name stands for: itself if it exists, else the numbered ones.
  ///
  /// - Throws: `notFound` when there is neither.
  package static func existing(_ path: String) throws(MartletError) -> [String] {
    if FileSystem.exists(path) { return [path] }
    let pieces = FileSystem.isFolder(FileSystem.folder(of: path)) ? try numbered(path) : []
    guard !pieces.isEmpty else {
      throw MartletError(.notFound, "there is no such recording", context: ["file": path])
    }
    return pieces.map(\.path)
  }

  private static func split(_ path: String) -> (stem: String, ending: String) {
    guard let dot = path.lastIndex(of: "."), dot > path.startIndex,
      !path[dot...].contains("/")
    else { return (path, "") }
    return (String(path[..<dot]), String(path[dot...]))
  }
}
