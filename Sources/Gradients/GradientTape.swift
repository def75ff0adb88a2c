package import Foundations
import Kernels
package import ModelGraph
package import Tensors

/// The memory of one differentiation: run forward, then backward, as often as needed. Used by one
/// thread at a time; the work itself is shared out to `ComputeThreads.count` threads, on whose number
/// results do not depend.
///
/// Gradients of targets add up over runs until `clearGradients`: a sum over batches needs nothing
/// else.
package final class GradientTape {
  /// What is run.
  package let plan: BackwardPlan
  private let execution: Execution
  private let gradients: AlignedMemory
  private var scratch: AlignedMemory
  private var lanes = 1
  private var hasRun = false

  /// Allocates memory; parameters start as the graph's constants.
  ///
  /// - Throws: `resourceExhausted` when the system has no memory for it.
  package init(_ plan: BackwardPlan) throws(MartletError) {
    guard let gradients = AlignedMemory(count: plan.gradientBytes / MemoryLayout<Float>.stride),
      let scratch = AlignedMemory(count: plan.scratchCount)
    else {
      throw MemoryLimit.refusal(of: plan.gradientBytes, for: "gradients")
    }
    self.plan = plan
    self.gradients = gradients
    self.scratch = scratch
    execution = try Execution(plan.program)
    for id in plan.parameters {
      guard let values = plan.graph.constants[id]?.floats else { continue }
      execution.withMutableValue(id) { _ = $0.update(from: values) }
    }
  }

  // MARK: Running

  /// Computes the outputs and keeps what the backward run needs.
  ///
  /// - Returns: the graph's outputs in order.
  /// - Throws: `invalidShape` for inputs that do not fit.
  @discardableResult
  package func forward(_ inputs: [Tensor]) throws(MartletError) -> [Tensor] {
    let graph = plan.graph
    try check(inputs, graph.inputs, "input")
    for (id, tensor) in zip(graph.inputs, inputs) {
      execution.withMutableValue(id) { _ = $0.update(from: tensor.floats ?? []) }
    }
    forwardInPlace()
    return graph.outputs.map { id in
      execution.withValue(id) { Tensor(graph[id].shape, [Float]($0)) }
    }
  }

  /// Adds the gradient of the sum of `outputs * cotangents` to that of each target, after `forward`.
  ///
  /// - Parameter cotangents: one float32 tensor for each output, of its shape.
  /// - Throws: `invalidShape` for cotangents that do not fit, `invalidArgument` before `forward`.
  package func backward(_ cotangents: [Tensor]) throws(MartletError) {
    let graph = plan.graph
    guard hasRun else {
      throw MartletError(.invalidArgument, "there is nothing to differentiate before a forward run")
    }
    try check(cotangents, graph.outputs, "output")
    let permanent = Set(plan.targets)
    for id in graph.outputs where !permanent.contains(id) { clear(id) }
    for (id, cotangent) in zip(graph.outputs, cotangents) {
      guard let target = gradient(id) else { continue }
      for (index, value) in (cotangent.floats ?? []).enumerated() { target[index] += value }
    }
    backwardInPlace()
  }

  /// Like `forward`, on inputs that were written to their `address`; outputs stay at theirs.
  package func forwardInPlace() {
    execution.run(stage: 0)
    hasRun = true
  }

  /// Like `backward`, from cotangents that were written to their outputs' `gradientAddress` after
  /// the last backward run.
  package func backwardInPlace() {
    prepareLanes()
    for step in plan.steps {
      for id in step.begins { clear(id) }
      run(step)
    }
  }

  private func run(_ step: BackwardPlan.Step) {
    let node = plan.graph.nodes[step.node]
    guard plan.graph[node.output].shape.count > 0, let cotangent = gradient(node.output) else {
      return
    }
    step.kernel.run(
      BackwardOperands(
        inputs: node.inputs.map { UnsafePointer(execution.address(of: $0) ?? cotangent) },
        output: UnsafePointer(execution.address(of: node.output) ?? cotangent),
        cotangent: cotangent, gradients: node.inputs.map { gradient($0) }, scratch: scratch.base,
        scratchStride: plan.scratchCount, lanes: lanes))
  }

  // MARK: Results and parameters

  /// Sets the gradients of all targets to zero.
  package func clearGradients() { for id in plan.targets { clear(id) } }

  /// Reads the gradient of a target.
  ///
  /// - Precondition: the plan has that target.
  package func withGradient<R>(
    of id: ValueID, _ body: (UnsafeBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    precondition(plan.targets.contains(id), "no gradient was planned for value \(id.index)")
    return try body(UnsafeBufferPointer(start: gradient(id), count: plan.graph[id].shape.count))
  }

  /// The gradient of a target.
  ///
  /// - Precondition: the plan has that target.
  package func gradient(of id: ValueID) -> Tensor {
    withGradient(of: id) { Tensor(plan.graph[id].shape, [Float]($0)) }
  }

  /// Reads or changes a parameter: a float32 constant of the graph that some node reads.
  ///
  /// - Precondition: the graph has that parameter.
  package func withParameter<R>(
    _ id: ValueID, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    precondition(plan.parameters.contains(id), "value \(id.index) is not a parameter")
    return try execution.withMutableValue(id, body)
  }

  // MARK: Memory

  /// Where an input, output or parameter lies, for the life of the tape.
  ///
  /// - Throws: `notFound` for a value that no node computes or reads.
  package func address(of id: ValueID) throws(MartletError) -> UnsafeMutablePointer<Float> {
    guard let address = execution.address(of: id) else {
      throw MartletError(
        .notFound, "a value takes no part in the model", context: ["value": plan.graph[id].name])
    }
    return address
  }

  /// Where the gradient of an output or target lies, for the life of the tape; nil for an output
  /// that no target reaches.
  package func gradientAddress(of id: ValueID) -> UnsafeMutablePointer<Float>? { gradient(id) }

  private func gradient(_ id: ValueID) -> UnsafeMutablePointer<Float>? {
    plan.offsets[id.index].map { gradients.base + $0 / MemoryLayout<Float>.stride }
  }

  private func clear(_ id: ValueID) {
    gradient(id)?.update(repeating: 0, count: plan.graph[id].shape.count)
  }

  private func prepareLanes() {
    let wanted = ComputeThreads.count
    guard wanted != lanes, let memory = AlignedMemory(count: plan.scratchCount * wanted) else {
      return
    }
    scratch = memory
    lanes = wanted
  }

  private func check(
    _ tensors: [Tensor], _ ids: [ValueID], _ what: String
  ) throws(MartletError) {
    guard tensors.count == ids.count else {
      throw MartletError(
        .invalidShape, "the model has \(ids.count) \(what)s, \(tensors.count) tensors were given",
        context: ["model": plan.graph.name])
    }
    for (id, tensor) in zip(ids, tensors) {
      guard tensor.floats != nil, tensor.shape == plan.graph[id].shape else {
        throw MartletError(
          .invalidShape, "a tensor does not have the shape or type of the model's \(what)",
          context: [
            what: plan.graph[id].name, "expected": "\(plan.graph[id].shape) float32",
            "given": "\(tensor.shape) \(tensor.elementType)",
          ])
      }
    }
  }
}
