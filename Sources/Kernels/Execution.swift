package import Foundations
package import ModelGraph
package import Tensors

/// One frame's working memory. Used by one thread at a time, for frame after frame; several may
/// share a program, and those of one thread a `StageMemory`.
///
/// To compute a frame, fill the inputs, then run the stages in order; at each boundary fill the
/// results of its exchanges. Inputs may be overwritten by a run: fill them every time.
package final class Execution {
  private let program: Program
  private let arena: AlignedMemory
  private let stageMemory: StageMemory
  /// What of `stageMemory` the addresses lead into.
  private let passing: AlignedMemory
  private var scratch: AlignedMemory
  private var lanes = 1
  private let maximumLanes: Int
  /// The address of every value, by `ValueID.index`.
  private let addresses: [UnsafeMutablePointer<Float>?]
  /// Node inputs, one node after the other; `starts[n]` is where node n's begin.
  private let operands: [UnsafeMutablePointer<Float>]
  private let starts: [Int]

  /// Allocates working memory for `program`.
  ///
  /// - Throws: `resourceExhausted` when the system refuses it.
  package convenience init(_ program: Program) throws(MartletError) {
    try self.init(program, maximumLanes: .max, stageMemory: StageMemory())
  }

  /// Like `init(_:)`, with the memory of a stage shared with other executions: of them all one runs at
  /// a time, and what is neither an input, an output nor an exchange's is gone when another has run.
  package convenience init(_ program: Program, sharing: StageMemory) throws(MartletError) {
    try self.init(program, maximumLanes: .max, stageMemory: sharing)
  }

  /// Like `init(_:)`, with no more threads than `maximumLanes` whatever `ComputeThreads` says: for
  /// callers that run several executions side by side.
  package convenience init(_ program: Program, maximumLanes: Int) throws(MartletError) {
    try self.init(program, maximumLanes: maximumLanes, stageMemory: StageMemory())
  }

  private init(
    _ program: Program, maximumLanes: Int, stageMemory: StageMemory
  ) throws(MartletError) {
    let size = MemoryLayout<Float>.stride
    guard let arena = AlignedMemory(count: program.layout.frameBytes / size),
      let passing = stageMemory.values(program.layout.stageBytes / size),
      let scratch = stageMemory.scratch(program.scratchCount)
    else {
      throw MemoryLimit.refusal(of: program.arenaBytes, for: "the model's activations")
        .adding("model", program.graph.name)
    }
    self.program = program
    self.arena = arena
    self.stageMemory = stageMemory
    self.passing = passing
    self.scratch = scratch
    let addresses: [UnsafeMutablePointer<Float>?] = program.layout.locations.map {
      switch $0 {
      case .none: nil
      case .constant(let id): program.weights[id]
      case .arena(let offset): arena.base + offset / size
      case .stage(let offset): passing.base + offset / size
      }
    }
    var operands: [UnsafeMutablePointer<Float>] = []
    var starts: [Int] = []
    for node in program.graph.nodes {
      starts.append(operands.count)
      for input in node.inputs { operands.append(addresses[input.index] ?? arena.base) }
    }
    self.addresses = addresses
    self.operands = operands
    self.starts = starts
    self.maximumLanes = maximumLanes
  }

  /// Computes the nodes of one stage, given by its position in `Program.stages`.
  package func run(stage: Int) {
    prepareLanes()
    for node in program.stages[stage].nodes { run(node: node) }
  }

  /// Computes one stage's nodes of which some may be null: those put out zeros instead of being
  /// computed.
  ///
  /// - Parameter nulls: the values that are null before; afterwards also those of this stage.
  package func run(stage: Int, nulls: inout Set<ValueID>) {
    guard !nulls.isEmpty else { return run(stage: stage) }
    prepareLanes()
    for node in program.stages[stage].nodes {
      guard program.nullFlow.isNull(node, when: nulls) else {
        run(node: node)
        continue
      }
      let output = program.graph.nodes[node].output
      nulls.insert(output)
      withMutableValue(output) { $0.update(repeating: 0) }
    }
  }

  /// Computes one stage's nodes and returns the seconds that each took, in order.
  package func runTimed(stage: Int) -> [Double] {
    prepareLanes()
    let clock = ContinuousClock()
    return program.stages[stage].nodes.map { node in
      let time = clock.measure { run(node: node) }
      return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
    }
  }

  /// Reads a value: an input, a result that is still alive, or a constant.
  ///
  /// - Precondition: something in the graph computes or reads the value, as float32.
  package func withValue<R>(
    _ id: ValueID, _ body: (UnsafeBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    guard let address = addresses[id.index] else {
      preconditionFailure("value \(id.index) is not part of the program")
    }
    return try body(UnsafeBufferPointer(start: address, count: program.graph[id].shape.count))
  }

  /// Writes a value: an input, or the result of an exchange.
  ///
  /// - Precondition: the value is not a constant.
  package func withMutableValue<R>(
    _ id: ValueID, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    let location = program.layout.locations[id.index]
    if case .constant = location { preconditionFailure("value \(id.index) is a constant") }
    guard let address = addresses[id.index] else {
      preconditionFailure("value \(id.index) is not part of the program")
    }
    return try body(
      UnsafeMutableBufferPointer(start: address, count: program.graph[id].shape.count))
  }

  /// Runs a whole model that has no exchanges.
  ///
  /// - Parameter inputs: One float32 tensor for each graph input, of its shape.
  /// - Returns: The graph outputs in order.
  /// - Throws: `MartletError.Code.invalidShape` for inputs that do not fit, `.unsupported` for a
  ///   program with exchanges, `.resourceExhausted` without memory for the outputs.
  package func run(inputs: [Tensor]) throws(MartletError) -> [Tensor] {
    let graph = program.graph
    guard program.stages.count == 1 else {
      throw MartletError(
        .unsupported, "a model with exchanges cannot be run in one go",
        context: ["model": graph.name])
    }
    guard inputs.count == graph.inputs.count else {
      throw MartletError(
        .invalidShape, "the model has \(graph.inputs.count) inputs, \(inputs.count) were given",
        context: ["model": graph.name])
    }
    for (id, tensor) in zip(graph.inputs, inputs) {
      guard let values = tensor.floats, tensor.shape == graph[id].shape else {
        throw MartletError(
          .invalidShape, "an input does not have the model's shape or type",
          context: [
            "input": graph[id].name, "expected": "\(graph[id].shape) float32",
            "given": "\(tensor.shape) \(tensor.elementType)",
          ])
      }
      withMutableValue(id) { _ = $0.update(from: values) }
    }
    run(stage: 0)
    return try graph.outputs.map { id throws(MartletError) in
      try MemoryLimit.require(graph[id].shape.count, of: 4, for: "the model's outputs")
      return withValue(id) { Tensor(graph[id].shape, [Float]($0)) }
    }
  }

  /// The address of a value, good for the life of the execution and for as long in each run as
  /// `withValue` may read it; nil for one that is not part of the program.
  package func address(of id: ValueID) -> UnsafeMutablePointer<Float>? { addresses[id.index] }

  private func run(node: Int) {
    guard let kernel = program.kernels[node],
      let output = addresses[program.graph.nodes[node].output.index]
    else { return }
    operands.withUnsafeBufferPointer { operands in
      guard let base = operands.baseAddress else { return }
      kernel.run(
        Operands(
          inputs: base + starts[node], stored: program.storedWeights[node], output: output,
          scratch: scratch.base, scratchStride: program.scratchCount, lanes: lanes))
    }
  }

  /// Scratch follows the number of threads.
  private func prepareLanes() {
    let wanted = min(ComputeThreads.count, maximumLanes)
    guard wanted != lanes else { return }
    guard wanted > 1 || lanes > 1,
      let memory = stageMemory.scratch(program.scratchCount * wanted)
    else { return }
    scratch = memory
    lanes = wanted
  }
}
