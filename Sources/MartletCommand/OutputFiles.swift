import TensorCore
import TensorFiles

/// Files that a command writes when all is computed.
enum OutputFiles {
  /// What cannot be written should be known before minutes of computing.
  static func check(_ paths: [String?]) throws(MartletError) {
    for path in paths.compactMap({ $0 })
    where !FileSystem.isFolder(FileSystem.folder(of: path)) {
      throw MartletError(
        .notFound, "the folder of an output file does not exist", context: ["file": path])
    }
  }
}
