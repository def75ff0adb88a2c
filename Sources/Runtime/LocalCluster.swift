public import Kernels
import ModelGraph
import Plan
public import TensorCore
import WireProtocol

/// All devices of a plan in one process, with a failure mask: the same programs that workers run,
/// joined by copies instead of a broker. For accuracy studies, and to check workers against.
public final class LocalCluster {
  private let plan: Plan
  private let engines: [DeviceEngine]
  private let client: DeviceEngine
  private let executions: [Execution]
  private let clientExecution: Execution
  private let wire: ElementType

  /// - Parameters:
  ///   - engines: one per device of the plan, in order.
  ///   - client: the client's program.
  ///   - wire: how parts are rounded on their way, `.float32` or `.float16`.
  public init(engines: [DeviceEngine], client: DeviceEngine, wire: ElementType = .float32) {
    precondition(engines.count == client.plan.devices.count, "one engine per device")
    precondition(wire == .float32 || wire == .float16, "parts travel as float32 or float16")
    plan = client.plan
    self.engines = engines
    self.client = client
    self.wire = wire
    executions = engines.map { Execution($0.compiled) }
    clientExecution = Execution(client.compiled)
  }

  /// One frame with some devices missing; what they would have sent is filled with zeros.
  ///
  /// - Parameters:
  ///   - inputs: the model's inputs, in order.
  ///   - alive: by device.
  /// - Returns: the model's outputs, in order.
  public func run(_ inputs: [Tensor], alive: [Bool]) throws(MartletError) -> [Tensor] {
    precondition(alive.count == engines.count, "one flag per device")
    var parts: [[Int: [Float]]] = Array(repeating: [:], count: plan.exchanges.count)
    let members = alive.indices.filter { alive[$0] }
    for device in members { try engines[device].setInputs(inputs, of: executions[device]) }
    try client.setInputs(inputs, of: clientExecution)

    // Each turn advances every device whose boundary is complete. Stages are numbered over the whole
    // model, so some device can always go on.
    var next = [Int](repeating: 0, count: engines.count)
    var open = members
    while !open.isEmpty {
      open = open.filter { device in
        let engine = engines[device]
        let step = next[device]
        if step > 0 {
          let awaited = engine.steps[step - 1].gatherings
          guard awaited.allSatisfy({ isComplete($0, members, parts) }) else { return true }
          for gathering in awaited {
            place(gathering, for: engine, in: executions[device], parts, members)
          }
        }
        executions[device].run(segment: step)
        for publication in engine.steps[step].publications {
          parts[publication.exchange][device] = engine.withOwnPart(
            publication, in: executions[device]
          ) { Array($0) }
        }
        next[device] = step + 1
        return step + 1 < engine.steps.count
      }
    }
    for (index, step) in client.steps.enumerated() {
      clientExecution.run(segment: index)
      for gathering in step.gatherings {
        place(gathering, for: client, in: clientExecution, parts, members)
      }
    }
    return client.outputs(of: clientExecution)
  }

  private func isComplete(
    _ gathering: DeviceProgram.Gathering, _ members: [Int], _ parts: [[Int: [Float]]]
  ) -> Bool {
    let extents = plan.exchanges[gathering.exchange].extents
    return members.allSatisfy { extents[$0] == 0 || parts[gathering.exchange][$0] != nil }
  }

  private func place(
    _ gathering: DeviceProgram.Gathering, for engine: DeviceEngine, in execution: Execution,
    _ parts: [[Int: [Float]]], _ members: [Int]
  ) {
    for device in engines.indices {
      guard var part = parts[gathering.exchange][device] else {
        engine.place(nil, of: device, gathering: gathering, in: execution)
        continue
      }
      part.withUnsafeMutableBufferPointer { elements in
        if device != engine.device { WireElements.roundTrip(elements, as: wire) }
        engine.place(
          UnsafeBufferPointer(elements), of: device, gathering: gathering, in: execution)
      }
    }
  }
}

extension DeviceEngine {
  /// Copies the model's inputs into an execution.
  ///
  /// - Throws: `invalidShape` when the number of inputs or a shape differs from the model's.
  public func setInputs(_ inputs: [Tensor], of execution: Execution) throws(MartletError) {
    let ids = program.graph.inputs
    guard inputs.count == ids.count else {
      throw MartletError(
        .invalidShape, "the model takes \(ids.count) inputs, \(inputs.count) were given")
    }
    for (tensor, id) in zip(inputs, ids) {
      guard let values = tensor.floats, tensor.shape == program.graph[id].shape else {
        throw MartletError(
          .invalidShape, "an input has the wrong shape or type",
          context: [
            "input": program.graph[id].name, "expected": "\(program.graph[id].shape)",
            "given": "\(tensor.shape) \(tensor.elementType.rawValue)",
          ])
      }
      execution.withMutableValue(id) { target in _ = target.update(fromContentsOf: values) }
    }
  }

  /// The model's outputs after the last segment has run; for a client's program.
  public func outputs(of execution: Execution) -> [Tensor] {
    program.graph.outputs.map { id in
      Tensor(program.graph[id].shape, execution.withValue(id) { Array($0) })
    }
  }
}
