package import Foundations
import Kernels
package import ModelGraph
import Tensors

/// A graph made ready for reverse-mode differentiation: what the forward run has to keep, and how the
/// backward run goes through it. Immutable, and shared by any number of `GradientTape`s.
///
/// Constants become inputs of the forward program, so that a tape may change them between runs.
package struct BackwardPlan: Sendable {
  /// The graph that is run: the given one with some activations apart from their layers. Values have
  /// the numbers that they had.
  package let graph: Graph
  /// What gradients are computed for: inputs and constants of the graph, in the order given.
  package let targets: [ValueID]
  /// Bytes of memory of one tape.
  package var bytes: Int { program.arenaBytes + gradientBytes }

  let program: Program
  /// Constants that some node reads.
  let parameters: [ValueID]
  /// The nodes to run backwards, last first.
  let steps: [Step]
  /// Where the gradient of each value lies, by `ValueID.index`, in bytes; nil for values that none
  /// of the targets reaches.
  let offsets: [Int?]
  let gradientBytes: Int
  let scratchCount: Int

  struct Step: Sendable {
    let node: Int
    let kernel: any BackwardKernel
    /// Values whose gradient is added to for the first time here, and has to be zero before.
    let begins: [ValueID]
  }

  /// Working memory beyond this is refused (16 GiB).
  package static let maximumBytes = 1 << 34

  /// Plans gradients of a combination of the graph's outputs.
  ///
  /// - Parameter targets: inputs and float32 constants of the graph.
  /// - Throws: what `Program.init` throws; `invalidArgument` for another target; `unsupported` for
  ///   exchanges; `resourceExhausted` when the values that have to be kept would be too large.
  package init(_ graph: Graph, targets: [ValueID]) throws(MartletError) {
    for target in targets {
      guard graph.inputs.contains(target) || graph.constants[target]?.floats != nil else {
        throw MartletError(
          .invalidArgument, "there are gradients with respect to inputs and weights only",
          context: [
            "value": target.index < graph.values.count ? graph[target].name : "\(target.index)"
          ])
      }
    }
    let graph = graph.separatingActivations { !$0.slopeFollowsFromResult }
    let active = graph.values(reachedFrom: targets)
    let read = Set(graph.nodes.flatMap(\.inputs)).union(graph.outputs)
    let parameters = graph.constants.keys.filter {
      read.contains($0) && graph.constants[$0]?.floats != nil
    }.sorted()

    var forward = graph
    forward.constants = [:]
    forward.inputs += parameters
    var kept = Set(graph.outputs)
    func keep(_ id: ValueID) { if kept.insert(id).inserted { forward.outputs.append(id) } }
    for id in parameters { keep(id) }

    var kernels: [Int: any BackwardKernel] = [:]
    for (index, node) in graph.nodes.enumerated() where active.contains(node.output) {
      do throws(MartletError) {
        kernels[index] = try makeBackwardKernel(for: node, graph)
      } catch {
        throw error.adding("model", graph.name)
      }
      let needs = node.operation.backwardNeeds
      if needs.output { keep(node.output) }
      for (position, id) in node.inputs.enumerated() where needs.inputs.contains(position) {
        keep(id)
      }
    }
    program = try Program(forward)

    let schedule = GradientSchedule(graph, active: active, targets: targets)
    steps = kernels.keys.sorted(by: >).compactMap { index in
      kernels[index].map {
        Step(node: index, kernel: $0, begins: schedule.begins[index] ?? [])
      }
    }
    offsets = schedule.offsets
    gradientBytes = schedule.bytes
    scratchCount = (kernels.values.reduce(0) { max($0, $1.scratchCount) } + 15) / 16 * 16
    self.graph = graph
    self.targets = targets
    self.parameters = parameters
    guard bytes <= Self.maximumBytes else {
      throw MartletError(
        .resourceExhausted, "the gradient needs too much memory",
        context: ["model": graph.name, "bytes": "\(bytes)", "limit": "\(Self.maximumBytes)"],
        hint: "use a smaller batch")
    }
  }
}
