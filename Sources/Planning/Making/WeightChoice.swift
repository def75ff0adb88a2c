package import Evaluation
package import Foundations
import Kernels
package import ModelGraph
package import Tensors

/// What a user may ask for: a type for the weights of all layers, or the smallest that does no harm.
package enum WeightChoice: String, Sendable, CaseIterable {
  case f32, f16, i8, auto

  /// The type; nil where that is to be found out.
  package var type: WeightType? { WeightType(rawValue: rawValue) }

  /// The largest share of calibration images that may get another class: a tenth of a percent.
  private static let mostChanged = 0.001

  /// Bytes where fewer than one in a thousand calibration images get another class by them than with
  /// float32, else halves; without images halves.
  ///
  /// - Parameters:
  ///   - graph: with its weights.
  ///   - images: their labels are not used.
  /// - Throws: what reading images throws; `cancelled`.
  package static func best(
    for graph: Graph, images: LabelledImages?, measuring: Measuring
  ) throws(MartletError) -> WeightType {
    guard let images, images.count > 0, let input = graph.inputs.first else { return .f16 }
    let exact = try Execution(Program(graph))
    let rounded = try Execution(Program(graph, weights: .i8))
    let shape = graph[input].shape
    let batch = max(shape.dimensions.first ?? 1, 1)
    let shown = measuring.watch("weights as bytes: image", images.count)
    var changed = 0
    for index in 0..<images.count {
      try measuring.check()
      // A batch has the image in all places.
      let image = try images.load(index, elements: shape.count / batch)
      let tensor = Tensor(shape, Array(repeatElement(image, count: batch).joined()))
      let classes = try [exact, rounded].map { execution throws(MartletError) in
        try execution.run(inputs: [tensor]).first?.floats?.indexOfLargest
      }
      if classes[0] != classes[1] { changed += 1 }
      shown(index + 1)
    }
    return Double(changed) < Self.mostChanged * Double(images.count) ? .i8 : .f16
  }
}

extension [Float] {
  /// The first of the largest elements; nil of nothing.
  fileprivate var indexOfLargest: Int? {
    indices.max { self[$0] < self[$1] || (self[$0] == self[$1] && $0 > $1) }
  }
}
