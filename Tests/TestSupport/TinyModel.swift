package import Engine
import Foundations
import Kernels
package import ModelGraph
package import Plan
package import Planning
import Processes
package import Tensors

/// Three dense layers, on three devices unless told otherwise: small enough to follow by hand, with
/// two exchanges between the devices and one to the client.
package struct TinyModel {
  package let folder: PlanFolder
  package let engines: [DeviceEngines]
  package let client: DeviceEngines

  package init(folder: PlanFolder, engines: [DeviceEngines], client: DeviceEngines) {
    self.folder = folder
    self.engines = engines
    self.client = client
  }

  package static let inputShape: Shape = [1, 5]

  /// Runs `body` with a plan in a temporary folder.
  ///
  /// - Parameter placing: who holds what; `method` decides if nil.
  package static func with(
    devices: Int = 3, method: PartitionMethod = .interleaved,
    placing: (([LayerTraits]) throws -> [LayerPlacement])? = nil,
    _ body: (TinyModel) throws -> Void
  ) throws {
    try TemporaryFolder.with(prefix: "martlet-test") { path in
      let folder = try makePlan(
        try graph(), devices: devices, method: method, placing: placing, path: path + "/plan")
      try body(
        TinyModel(
          folder: folder,
          engines: try (0..<devices).map { try DeviceEngines(folder: folder, device: $0) },
          client: try DeviceEngines(folder: folder, device: nil)))
    }
  }

  /// The model.
  package static func graph() throws -> Graph {
    var builder = GraphBuilder(name: "tiny")
    var random = SeededGenerator(7)
    func tensor(_ shape: Shape) -> Tensor {
      Tensor(shape, (0..<shape.count).map { _ in Float.random(in: -1...1, using: &random) })
    }
    var value = builder.addInput(name: "x", shape: inputShape)
    for (name, units, inputs) in [("hidden", 7, 5), ("middle", 6, 7), ("scores", 4, 6)] {
      let weights = builder.add(constant: tensor([units, inputs]), name: name + ".weight")
      let bias = builder.add(constant: tensor([units]), name: name + ".bias")
      value = try builder.add(.dense(Dense()), [value, weights, bias], name: name)
    }
    try builder.addOutput(value, name: "y")
    return builder.graph
  }

  /// A frame's input, different for each number.
  package func input(_ number: Int) -> Tensor {
    Tensor(Self.inputShape, (0..<5).map { Float(number) * 0.25 + Float($0) - 2 })
  }

  /// What a cluster in this process answers.
  package func expected(_ input: Tensor, alive: [Bool]? = nil) throws -> [Tensor] {
    try LocalCluster(devices: engines, client: client).run(
      [input], alive: alive ?? engines.map { _ in true })
  }

  /// What the model gives that was never split.
  package func whole(_ input: Tensor) throws -> [Tensor] {
    try Execution(try Program(try Self.graph())).run(inputs: [input])
  }
}
