import Foundations
import Imaging
import ModelCards
import ModelGraph
import Plan
import Tensors

/// The frames that a measurement streams: images as the plan wants them, or, for a model without
/// images, numbers from a seeded generator.
struct FleetInputs {
  private let frames: [FrameInput]
  private let labels: [Int?]

  /// The most memory for prepared frames.
  private static let maximumBytes = 256 << 20

  /// Prepares frames before anything is measured: at most `count`, fewer when there are fewer images
  /// or when they are large. They are repeated as often as needed.
  ///
  /// - Throws: `unsupported` for images that the model does not take.
  init(
    _ plan: PlanFolder, images: [String], count: Int, _ unreadable: UnreadableImages
  ) throws(MartletError) {
    let shape = plan.plan.graph[plan.plan.graph.inputs[0]].shape
    let count = min(count, max(Self.maximumBytes / (5 * max(shape.count, 1)), 1))
    guard !images.isEmpty else {
      frames = (0..<min(count, 4)).map { FrameInput(FleetInputs.noise(shape, seed: UInt64($0))) }
      labels = frames.map { _ in nil }
      return
    }
    guard let preprocessing = plan.plan.model.preprocessing else {
      throw MartletError(
        .unsupported, "the plan's model does not take images",
        hint: "leave --images out to stream random numbers")
    }
    let set = try ImageSet.open(paths: images, labelling: try plan.plan.labelling())
    var frames: [FrameInput] = []
    var labels: [Int?] = []
    for index in 0..<set.count where frames.count < count {
      let read = unreadable.reading(set.name(index)) { () throws(MartletError) in
        try preprocessing.input(try set.load(index))
      }
      guard let input = read else { continue }
      frames.append(input)
      labels.append(set.label(index))
    }
    guard !frames.isEmpty else {
      throw MartletError(.invalidFile, "none of the \(set.count) images can be read")
    }
    self.frames = frames
    self.labels = labels
  }

  /// A frame's input.
  subscript(index: Int) -> FrameInput { frames[index % frames.count] }

  /// A frame's class, if it is known.
  func label(_ index: Int) -> Int? { labels[index % labels.count] }

  /// Uniform in -1...1, by a linear congruential generator (Knuth's MMIX).
  private static func noise(_ shape: Shape, seed: UInt64) -> Tensor {
    var state = seed &* 2_862_933_555_777_941_757 &+ 3_037_000_493
    return Tensor(
      shape,
      (0..<shape.count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
      })
  }
}
