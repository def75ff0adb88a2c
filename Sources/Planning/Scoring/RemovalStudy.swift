import Foundations
import Glibc
import Kernels
import ModelGraph
import Plan
import Tensors

/// The images as the whole model sees them, with every value cached from which some part of it is
/// computed again.
struct RemovalStudy {
  /// The model up to its logits.
  let graph: Graph
  /// How each weighted node's neurons are removed, by position in the graph.
  let paths: [Int: RemovalPath]
  /// Results of layers before their activation, by the layer's name.
  let sums: [String: ValueID]
  /// One execution per image, which holds that image's values.
  let images: [Execution]
  /// Each image's distribution over classes.
  let distributions: [Distribution]
  /// Outputs of the model.
  let classes: Int
  /// Nats to the unit of the scores.
  let unit: Double

  /// Memory for cached values beyond this is refused (16 GiB).
  private static let maximumBytes = 1 << 34

  init(
    _ graph: Graph, _ set: CalibrationImages, unit: ScoringChoices.Unit
  ) throws(MartletError) {
    let apart = graph.separatingActivations { _ in true }
    var sums: [String: ValueID] = [:]
    for node in apart.nodes { sums[node.name] = node.output }
    let consumers = graph.consumers()
    var paths: [Int: RemovalPath] = [:]
    var cached: Set<ValueID> = []
    for node in Importance.weightedNodes(of: graph) {
      let path = RemovalPath(graph, node: node, consumers: consumers)
      paths[node] = path
      cached.formUnion(RemovalLayer.cachedValues(path, graph, sums: sums))
    }
    var forward = apart
    forward.outputs += cached.subtracting(forward.outputs).sorted()
    let program = try Program(forward)
    guard program.arenaBytes * set.count <= Self.maximumBytes else {
      throw MartletError(
        .resourceExhausted, "the values of so many images do not fit into memory",
        context: ["images": "\(set.count)", "bytes": "\(program.arenaBytes * set.count)"],
        hint: "use fewer images for s3")
    }
    let output = graph.outputs[0]
    var images: [Execution] = []
    var distributions: [Distribution] = []
    for index in 0..<set.count {
      let execution = try Execution(program)
      let input = try set.input(index)
      guard let values = input.floats, input.shape == graph[graph.inputs[0]].shape else {
        throw MartletError(
          .invalidShape, "a calibration image does not have the shape of the model's input",
          context: [
            "expected": "\(graph[graph.inputs[0]].shape)", "given": "\(input.shape)",
          ])
      }
      execution.withMutableValue(graph.inputs[0]) { _ = $0.update(from: values) }
      execution.run(stage: 0)
      distributions.append(execution.withValue(output) { Distribution(logits: $0) })
      images.append(execution)
    }
    self.graph = graph
    self.paths = paths
    self.sums = sums
    self.images = images
    self.distributions = distributions
    classes = graph[output].shape.count
    self.unit = unit == .bits ? 1 / M_LN2 : 1
  }
}
