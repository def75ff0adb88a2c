import Foundations
import Imaging
import JSONCoding
package import ModelCards
package import ModelGraph
import ONNXImport
package import Plan
package import Planning
import TensorFiles
package import Tensors

/// The model that the executable carries.
package enum DemoModel {
  private struct Card: Codable {
    var preprocessing: Preprocessing
    var labels: [String]
  }

  package static let preprocessing: Preprocessing? =
    (try? JSON.decode(Card.self, from: DemoFiles.about, source: "demo.json"))?
    .preprocessing

  /// A plan of the model in `folder/plan`.
  package static func plan(
    devices: Int, method: PartitionMethod = .interleaved,
    placing: (([LayerTraits]) throws -> [LayerPlacement])? = nil, folder: String
  ) throws -> PlanFolder {
    let path = folder + "/demo.onnx"
    try FileSystem.write(DemoFiles.model, to: path)
    let graph = try ONNXImporter.load(path: path)
    return try makePlan(
      graph, devices: devices, method: method, placing: placing, preprocessing: preprocessing,
      path: folder + "/plan")
  }
}

/// Plans a graph for devices `d0`, `d1` and so on.
///
/// - Parameter placing: who holds what; `method` decides if nil.
package func makePlan(
  _ graph: Graph, devices: Int, method: PartitionMethod = .interleaved,
  placing: (([LayerTraits]) throws -> [LayerPlacement])? = nil,
  preprocessing: Preprocessing? = nil, path: String
) throws -> PlanFolder {
  let sharding = try Sharding(graph)
  let shares = [Double](repeating: 1, count: devices)
  let placements =
    try placing?(LayerTraits.all(of: sharding, graph: graph))
    ?? method.parts(graph: graph, sharding: sharding, shares: shares)
    .map { LayerPlacement(parts: $0) }
  let plan = try Plan(
    model: .init(name: graph.name, sha256: "", preprocessing: preprocessing, labels: []),
    method: method.rawValue, devices: (0..<devices).map { Plan.Device(name: "d\($0)") },
    graph: graph, sharding: sharding, placements: placements)
  return try PlanFolder.write(plan, graph: graph, to: path)
}

/// The bundled digits as inputs.
package struct Digits {
  private let set: ImageSet
  private let preprocessing: Preprocessing

  package init(folder: String) throws {
    let path = folder + "/digits.tar"
    try FileSystem.write(DemoFiles.digits, to: path)
    set = try ImageSet.open(paths: [path], labelling: .classes(nil, outputs: 10))
    guard let preprocessing = DemoModel.preprocessing else {
      throw MartletError(.invalidFile, "demo.json has no preprocessing")
    }
    self.preprocessing = preprocessing
  }

  /// A digit as the PNG file that it is.
  package func file(_ index: Int) throws -> [UInt8] { try set.bytes(index % set.count) }

  package subscript(index: Int) -> Tensor {
    get throws { try input(index).tensor }
  }

  /// A digit with its pixels.
  package func input(_ index: Int) throws -> FrameInput {
    try preprocessing.input(try set.load(index % set.count))
  }
}
