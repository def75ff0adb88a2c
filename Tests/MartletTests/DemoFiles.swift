import CDemoAssets
import Imaging
import Martlet
import ModelCards
import Processes
import TensorFiles

/// The model and the digits that the executable carries, as files.
final class DemoFiles: Sendable {
  let folder: String
  let model: Model
  private let set: ImageSet
  /// Removes the folder.
  private let keeper: TemporaryFolder

  var modelPath: String { folder + "/demo.onnx" }
  /// 10 classes of digits.
  var images: String { folder + "/digits.tar" }

  init() throws {
    keeper = try TemporaryFolder(prefix: "martlet-test")
    folder = keeper.path
    for (name, bytes) in [
      ("demo.onnx", martlet_demo_model()), ("demo.json", martlet_demo_about()),
      ("digits.tar", martlet_demo_digits()),
    ] {
      try FileSystem.write(
        Array(UnsafeRawBufferPointer(start: bytes.start, count: bytes.count)),
        to: keeper.path + "/" + name)
    }
    model = try Model(contentsOf: keeper.path + "/demo.onnx")
    set = try ImageSet.open(
      paths: [keeper.path + "/digits.tar"], labelling: .classes(nil, outputs: 10))
  }

  /// A plan of the model in a folder of its own.
  func plan(devices: Int = 3, method: String = "interleaved") async throws -> DeploymentPlan {
    try await model.plan(for: .count(devices), method: method).write(to: folder + "/plan")
  }

  /// A digit as the PNG file that it is, and what it shows.
  func digit(_ index: Int) throws -> (file: [UInt8], label: Int?) {
    (try set.bytes(index % set.count), set.label(index % set.count))
  }

  /// A digit as the model's input.
  func input(_ index: Int) throws -> Tensor { try model.input(image: try digit(index).file) }
}
