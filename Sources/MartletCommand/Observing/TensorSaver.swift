import ArgumentParser
import Inspection
import TensorCore
import TensorFiles

/// Writes collected tensors into a folder, each under a temporary name first.
struct TensorSaver {
  /// The form of the files.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case safetensors, npy
  }

  private let folder: String
  private let format: Format

  /// Makes the folder if it is not there.
  init(folder: String, format: Format) throws(MartletError) {
    self.folder = folder
    self.format = format
    try FileSystem.createFolder(folder)
  }

  /// Writes a tensor, replacing an older one of the same name; returns the path.
  func save(_ collected: TensorCollector.Collected) throws(MartletError) -> String {
    let path = "\(folder)/\(collected.name).\(format.rawValue)"
    switch format {
    case .npy: try NumpyFile.write(path, collected.tensor)
    case .safetensors:
      try SafetensorsFile.write(
        path, tensors: [("tensor", collected.tensor)], metadata: collected.metadata)
    }
    return path
  }
}
