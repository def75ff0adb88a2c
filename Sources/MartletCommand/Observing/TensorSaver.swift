import ArgumentParser
import Foundations
import Inspection
import TensorFiles

/// Writes collected tensors into a folder, each under a temporary name first.
struct TensorSaver {
  /// The form of the files.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case safetensors, npy
  }

  private let folder: String
  private let format: Format
  private let replaces: Bool

  /// Makes the folder if it is not there.
  ///
  /// - Parameter replaces: whether a file that exists already may be replaced.
  init(folder: String, format: Format, replaces: Bool) throws(MartletError) {
    self.folder = folder
    self.format = format
    self.replaces = replaces
    try FileSystem.createFolder(folder)
  }

  /// Writes a tensor beside what the folder holds; returns the path.
  ///
  /// - Throws: `invalidArgument` for a file that exists already and is not to be replaced.
  func save(_ collected: TensorCollector.Collected) throws(MartletError) -> String {
    let path = "\(folder)/\(collected.name).\(format.rawValue)"
    guard replaces || !FileSystem.exists(path) else { throw OutputFiles.stays(path) }
    switch format {
    case .npy: try NumpyFile.write(path, collected.tensor)
    case .safetensors:
      try SafetensorsFile.write(
        path, tensors: [("tensor", collected.tensor)], metadata: collected.metadata)
    }
    return path
  }
}
