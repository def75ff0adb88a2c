import Engine
import Foundations
import ModelGraph
import Plan
import Planning
import Processes
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("Plans with weights in fewer bytes")
struct StoredPlanTests {
  private static let types: [WeightType] = [.f16, .i8]

  private func subsets(_ devices: Int) -> [[Bool]] {
    (1..<(1 << devices)).map { mask in (0..<devices).map { mask >> $0 & 1 == 1 } }
  }

  /// Writes a plan and hands over its folder, and the devices as workers load them.
  private func withCluster(
    _ plan: Plan, _ graph: Graph, _ body: (PlanFolder, LocalCluster) throws -> Void
  ) throws {
    try TemporaryFolder.with(prefix: "martlet-stored-plan") { folder in
      let written = try PlanFolder.write(plan, graph: graph, to: folder + "/plan")
      let read = try PlanFolder(reading: written.path)
      let cluster = LocalCluster(
        devices: try plan.devices.indices.map { try DeviceEngines(folder: read, device: $0) },
        client: try DeviceEngines(folder: read, device: nil), wire: .float32)
      try body(read, cluster)
    }
  }

  private func error(_ body: () throws -> Void) -> MartletError? {
    do {
      try body()
      return nil
    } catch {
      return error as? MartletError
    }
  }

  @Test("devices together compute what the whole rounded model computes", arguments: types, 0..<12)
  func division(type: WeightType, seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let methods = PartitionMethod.allCases
    let plan = try plan(graph, shares: [1, 2, 1], method: methods[seed % methods.count])
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try whole(try graph.roundingWeights(to: type), input)
    try withCluster(plan.storing(type), graph) { folder, cluster in
      #expect(folder.plan.weights == type)
      let output = try cluster.run([input], alive: [true, true, true])[0].floats ?? []
      let error = relativeError(output, reference)
      #expect(error < 1e-4, "\(type), seed \(seed): \(error)")
    }
  }

  /// A device of a pair has some of the columns of rows, with the scales of the whole rows.
  @Test("pairs of layers add up to what the whole rounded model computes", arguments: types, 0..<12)
  func pairs(type: WeightType, seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let plan = try plan(
      graph, shares: [1, 2, 1], method: .interleaved, pairs: Sharding.everyPair(of: graph))
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let reference = try whole(try graph.roundingWeights(to: type), input)
    try withCluster(plan.storing(type), graph) { _, cluster in
      let output = try cluster.run([input], alive: [true, true, true])[0].floats ?? []
      let error = relativeError(output, reference)
      #expect(error < 1e-4, "\(type), seed \(seed): \(error)")
    }
  }

  @Test("every set of survivors of a code decodes the rounded weights", arguments: types, 3...5)
  func codes(type: WeightType, devices: Int) throws {
    let graph = try RandomGraph.chain(seed: 5)
    let shares = [Double](repeating: 1, count: devices)
    let layers = LayerTraits.all(of: try Sharding(graph), graph: graph)
    let input = RandomGraph.input(of: graph, seed: 9)
    let exact = try whole(graph, input)
    let reference = try whole(try graph.roundingWeights(to: type), input)
    let rounding = relativeError(reference, exact)
    #expect(rounding > 0 && rounding < 0.1)
    for tolerating in 1..<min(devices, 3) {
      let plan = try plan(
        graph, try Placing.coded(layers, shares: shares, tolerating: tolerating), shares: shares)
      // Parity is of halves: 2^-11 of its weights, which a code makes larger by a factor of its own.
      let bound: Float = tolerating == 1 ? 4e-3 : 4e-2
      try withCluster(plan.storing(type), graph) { _, cluster in
        for alive in subsets(devices) where alive.count(where: { !$0 }) <= tolerating {
          let output = try cluster.run([input], alive: alive)[0].floats ?? []
          let error = relativeError(output, reference)
          let isComplete = alive.allSatisfy { $0 }
          #expect(
            error < (isComplete ? 1e-4 : bound),
            "\(type), \(tolerating) of \(devices), alive \(alive): \(error)")
        }
      }
    }
  }

  @Test("replicas agree with what they stand in for", arguments: types)
  func replicas(type: WeightType) throws {
    let graph = try RandomGraph.network(seed: 3)
    let shares: [Double] = [1, 1, 1]
    let layers = LayerTraits.all(of: try Sharding(graph), graph: graph)
    let plan = try plan(
      graph, Placing.copies(layers, shares: shares, tolerating: 1), shares: shares)
    let input = RandomGraph.input(of: graph, seed: 3)
    let reference = try whole(try graph.roundingWeights(to: type), input)
    try withCluster(plan.storing(type), graph) { _, cluster in
      for missing in 0..<3 {
        let alive = (0..<3).map { $0 != missing }
        let output = try cluster.run([input], alive: alive)[0].floats ?? []
        #expect(relativeError(output, reference) < 1e-4)
      }
    }
  }

  @Test("the folder says so, and takes a half or a quarter of the room", arguments: types)
  func folder(type: WeightType) throws {
    let graph = try RandomGraph.chain(seed: 1)
    let plain = try plan(graph, shares: [1, 1], method: .lop)
    #expect(plain.weights == .f32)
    try withCluster(plain, graph) { folder, _ in
      let text = try FileSystem.readText(folder.path + "/plan.json")
      #expect(text.contains("\"version\": 2") && !text.contains("\"weights\""))
    }
    try withCluster(plain.storing(type), graph) { folder, _ in
      let file = folder.path + "/plan.json"
      let text = try FileSystem.readText(file)
      #expect(text.contains("\"version\": 4") && text.contains("\"weights\": \"\(type.rawValue)\""))
      for device in 0..<2 {
        let read = try folder.constants(device: device)
        let bytes = read.values.reduce(0) { $0 + StoredTensor.bytes($1.shape, $1.elementType) }
        #expect(ShardInventory(folder.plan, device: device).bytes == bytes)
        #expect(folder.plan.cost(of: device).weightBytes == bytes)
        #expect(plain.cost(of: device).weightBytes > bytes)
        for (slice, stored) in read {
          let source = try #require(graph.constants[slice.source])
          let isWeight = graph.storableWeights.contains(slice.source)
          #expect(stored.elementType == (isWeight ? type.elementType : .float32))
          // Rows of the rounded model, with its scales.
          let rounded = try graph.roundingWeights(to: type).constants[slice.source]
          #expect(stored.widened == slice.apply(to: try #require(rounded)))
          #expect(isWeight || stored.widened == slice.apply(to: source))
        }
      }
      let costs = (0..<2).map { folder.plan.cost(of: $0) }
      #expect(
        costs.copies(of: folder.plan) == [plain.cost(of: 0), plain.cost(of: 1)].copies(of: plain))
    }
  }

  @Test("what neither side can read is refused at the start")
  func refusals() throws {
    let graph = try RandomGraph.chain(seed: 2)
    let plan = try plan(graph, shares: [1, 1], method: .lop).storing(.i8)
    try withCluster(plan, graph) { folder, _ in
      let file = folder.path + "/plan.json"
      let text = try FileSystem.readText(file)
      func changed(_ old: String, _ new: String) throws -> MartletError? {
        let pieces = text.split(separator: old, omittingEmptySubsequences: false)
        #expect(pieces.count == 2)
        try FileSystem.write(Array(pieces.joined(separator: new).utf8), to: file)
        return error { _ = try PlanFolder(reading: folder.path) }
      }
      let later = try changed("\"version\": 4", "\"version\": 5")
      #expect(later?.code == .mismatch && later?.hint?.contains("every device") == true)
      #expect(try changed("\"weights\": \"i8\"", "\"weights\": \"i4\"")?.code == .invalidFile)
      #expect(try changed("\"weights\": \"i8\"", "\"weights\": \"f16\"")?.code == .mismatch)
      try FileSystem.write(Array(text.utf8), to: file)
      let read = try PlanFolder(reading: folder.path)
      let shard = folder.path + "/d1.safetensors"
      let bytes = try FileSystem.read(shard)
      for length in [0, 7, 100, bytes.count / 2, bytes.count - 1] {
        try FileSystem.write(Array(bytes.prefix(length)), to: shard)
        #expect(error { _ = try DeviceEngines(folder: read, device: 1) }?.code == .mismatch)
      }
      try FileSystem.write(bytes, to: shard)
      _ = try DeviceEngines(folder: read, device: 1)
    }
  }

  @Test("a layer that halves cannot hold is float32 in every shard")
  func fallback() throws {
    var graph = try RandomGraph.chain(seed: 4)
    let weight = try #require(graph.storableWeights.min())
    var values = try #require(graph.constants[weight]?.floats)
    values[0] = 1e6
    graph.constants[weight] = Tensor(graph[weight].shape, values)
    let plan = try plan(graph, shares: [1, 1], method: .lop).storing(.f16)
    let input = RandomGraph.input(of: graph, seed: 4)
    let reference = try whole(try graph.roundingWeights(to: .f16), input)
    try withCluster(plan, graph) { folder, cluster in
      for device in 0..<2 {
        for (slice, stored) in try folder.constants(device: device)
        where slice.source == weight {
          #expect(stored.elementType == .float32)
        }
      }
      let output = try cluster.run([input], alive: [true, true])[0].floats ?? []
      #expect(relativeError(output, reference) < 1e-4)
    }
  }
}
