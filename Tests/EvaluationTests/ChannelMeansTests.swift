import Evaluation
import Foundations
import ModelGraph
import Tensors
import TestSupport
import Testing

@Suite("Channel means")
struct ChannelMeansTests {
  @Test("are those of the values, whatever batch and threads", arguments: 0..<6)
  func means(seed: Int) throws {
    let subject = try Subject(try RandomGraph.network(seed: UInt64(seed)))
    let graph = subject.graph
    let inputs = (0..<7).map { RandomGraph.input(of: graph, seed: UInt64($0)).floats ?? [] }
    // Each point's value as an output of its own.
    var exposed = graph
    exposed.outputs = subject.points.map(\.value)
    var expected = subject.points.map {
      [Double](repeating: 0, count: graph[$0.value].shape[$0.axis])
    }
    for input in inputs {
      let shape = graph[graph.inputs[0]].shape
      let values = try outputs(exposed, Tensor(shape, input))
      for (point, tensor) in values.enumerated() {
        let axis = subject.points[point].axis
        let inner = tensor.shape.innerCount(after: axis)
        for (index, element) in (tensor.floats ?? []).enumerated() {
          let channel = index / inner % tensor.shape[axis]
          expected[point][channel] +=
            Double(element) / Double(inputs.count * tensor.shape.count / tensor.shape[axis])
        }
      }
    }
    for (batch, threads) in [(1, 1), (3, 1), (3, 2), (4, 2)] {
      let means = try ChannelMeans.of(
        try subject.model(batch: batch), count: inputs.count, threads: threads
      ) { inputs[$0] }
      for (mean, reference) in zip(means, expected) {
        #expect(relativeError(mean, reference.map { Float($0) }) < 1e-5, "seed \(seed)")
      }
    }
    let model = try subject.model(batch: 2)
    let one = try ChannelMeans.of(model, count: inputs.count, threads: 1) { inputs[$0] }
    let two = try ChannelMeans.of(model, count: inputs.count, threads: 2) { inputs[$0] }
    #expect(one == two)
  }

  @Test("need images")
  func none() throws {
    let model = try Subject(try RandomGraph.chain(seed: 1)).model()
    let error = #expect(throws: MartletError.self) {
      try ChannelMeans.of(model, count: 0) { _ in [] }
    }
    #expect(error?.code == .invalidArgument)
  }
}
