import Kernels
import ModelGraph
import Partitioning
import Plan
import Runtime
import TensorCore

/// A graph planned for some devices, ready to run in this process.
func cluster(
  _ graph: Graph, shares: [Double], method: PartitionMethod, wire: ElementType = .float32
) throws -> LocalCluster {
  let plan = try plan(graph, shares: shares, method: method)
  func engine(_ device: Int?) throws -> DeviceEngine {
    let program = device.map { plan.program(device: $0) } ?? plan.clientProgram()
    let constants = Dictionary(
      uniqueKeysWithValues: program.constants.compactMap { id, slice in
        graph.constants[slice.source].map { (id, slice.apply(to: $0)) }
      })
    return try DeviceEngine(plan: plan, device: device, program: program, constants: constants)
  }
  return LocalCluster(
    engines: try shares.indices.map { try engine($0) }, client: try engine(nil), wire: wire)
}

func plan(_ graph: Graph, shares: [Double], method: PartitionMethod) throws -> Plan {
  let sharding = try Sharding(graph)
  return try Plan(
    model: Plan.Model(name: graph.name, sha256: "", preprocessing: nil, labels: []),
    method: method.rawValue,
    devices: shares.enumerated().map { Plan.Device(name: "d\($0)", share: $1) }, graph: graph,
    sharding: sharding, parts: method.parts(graph: graph, sharding: sharding, shares: shares))
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
