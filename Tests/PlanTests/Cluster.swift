import Engine
import Kernels
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport

/// A graph planned for some devices, ready to run in this process.
func cluster(
  _ graph: Graph, shares: [Double], method: PartitionMethod, wire: ElementType? = .float32
) throws -> LocalCluster {
  try cluster(try plan(graph, shares: shares, method: method), graph, wire: wire)
}

/// A plan's devices, ready to run in this process.
func cluster(_ plan: Plan, _ graph: Graph, wire: ElementType? = .float32) throws -> LocalCluster {
  let (devices, client) = try engines(plan, graph)
  return LocalCluster(devices: devices, client: client, wire: wire)
}

/// The programs of a plan's devices and of its client.
func engines(
  _ plan: Plan, _ graph: Graph, rowFill: Plan.RowFill = .standard
) throws -> (devices: [DeviceEngines], client: DeviceEngines) {
  func engines(_ device: Int?) throws -> DeviceEngines {
    let entries = ShardInventory(plan, device: device).entries
    let constants = Dictionary(
      uniqueKeysWithValues: entries.compactMap { entry in
        graph.constants[entry.slice.source].map { (entry.slice, entry.slice.apply(to: $0)) }
      })
    return try DeviceEngines(plan: plan, device: device, constants: constants, rowFill: rowFill)
  }
  return (try plan.devices.indices.map { try engines($0) }, try engines(nil))
}

func plan(
  _ graph: Graph, shares: [Double], method: PartitionMethod, strips: Strips? = nil,
  pairs: [Int] = []
) throws -> Plan {
  let sharding = try Sharding(graph, strips: strips, pairs: pairs)
  return try plan(
    graph,
    method.parts(graph: graph, sharding: sharding, shares: shares).map {
      LayerPlacement(parts: $0)
    },
    shares: shares, strips: strips, pairs: pairs)
}

func plan(
  _ graph: Graph, _ placements: [LayerPlacement], shares: [Double], fill: Plan.Fill = .zero,
  strips: Strips? = nil, pairs: [Int] = []
) throws -> Plan {
  try Plan(
    model: Plan.Model(name: graph.name, sha256: "", preprocessing: nil, labels: []),
    method: "test",
    devices: shares.enumerated().map { Plan.Device(name: "d\($0)", share: $1) }, graph: graph,
    sharding: try Sharding(graph, strips: strips, pairs: pairs), placements: placements, fill: fill)
}

/// The whole graph in one program.
func whole(_ graph: Graph, _ input: Tensor) throws -> [Float] {
  try Execution(try Program(graph)).run(inputs: [input])[0].floats ?? []
}

/// Largest difference over the largest magnitude.
func relativeError(_ values: [Float], _ reference: [Float]) -> Float {
  guard values.count == reference.count else { return .infinity }
  let scale = max(reference.map(abs).max() ?? 0, 1e-6)
  let worst = zip(values, reference).map { abs($0 - $1) }.max() ?? 0
  return worst.isNaN || values.contains(where: \.isNaN) ? .infinity : worst / scale
}
