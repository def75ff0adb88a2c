import Evaluation
import Foundations
import ModelGraph
import Plan
package import Tensors

/// What a user may ask for: one type for all parts, or the best for each exchange.
package enum WireChoice: String, Sendable, CaseIterable {
  case f32, f16, i8, auto

  /// The type for all parts; nil where that is to be found out.
  package var type: WireType? { WireType(rawValue: rawValue) }
}

/// Finds out how the parts of each exchange may travel: as bytes where no calibration image gets
/// another class by it, else as half precision.
///
/// All exchanges together are tried first, and mostly that is all. Otherwise each is tried alone, and
/// then as many of them together as go, the most harmless first, by bisection: rounding errors add up.
/// The measure is the answers with half precision everywhere, because an image on the edge between two
/// classes may change sides with any rounding at all.
struct WireSearch {
  private let plan: Plan
  private let points: [Plan.WirePoint]
  private let model: MaskedModel
  private let images: LabelledImages
  private let measuring: Measuring

  /// Prepares a search.
  ///
  /// - Parameter graph: of the plan, with its weights.
  /// - Throws: what reading images throws; `cancelled`.
  init(
    _ plan: Plan, graph: Graph, images: LabelledImages, measuring: Measuring
  ) throws(MartletError) {
    self.plan = plan
    self.measuring = measuring
    points = plan.wirePoints
    model = try MaskedModel(
      batching: graph, points: points.map { ChannelPoint(value: $0.value, axis: $0.axis) },
      largest: 8)
    self.images = try images.decoded(elements: model.inputCounts[0])
  }

  /// The type for each exchange, in the plan's order. Those that only happen while devices are missing
  /// are not tried, and get half precision, and so do what devices contribute to the ends of pairs: rounding
  /// those cannot be seen in the whole model.
  ///
  /// - Throws: `cancelled`, what reading images throws.
  func types() throws(MartletError) -> [WireType] {
    let count = points.count
    guard count > 0 else { return types(bytes: []) }
    let both = try effects(of: [[], Set(0..<count)])
    let bar = both[0].agreement
    if both[1].agreement >= bar { return types(bytes: Set(0..<count)) }
    let alone = try effects(of: (0..<count).map { [$0] })
    let order = (0..<count).sorted { left, right in
      let (first, second) = (alone[left], alone[right])
      return (-first.agreement, first.surprise, left) < (-second.agreement, second.surprise, right)
    }
    var (good, bad) = (0, count)
    while bad - good > 1 {
      let middle = (good + bad) / 2
      let effect = try effects(of: [Set(order[..<middle])])[0]
      if effect.agreement >= bar { good = middle } else { bad = middle }
    }
    return types(bytes: Set(order[..<good]))
  }

  /// - Parameter bytes: the points that travel as bytes.
  private func types(bytes: Set<Int>) -> [WireType] {
    let chosen = Set(bytes.flatMap { points[$0].exchanges })
    return plan.exchanges.indices.map { chosen.contains($0) ? .i8 : .f16 }
  }

  /// What happens to the answers when some points travel as bytes and the others as half precision.
  private func effects(of choices: [Set<Int>]) throws(MartletError) -> [MaskEffect] {
    let wires = choices.map { bytes in
      WireRounding(plan, points: model.points, types: types(bytes: bytes).map(\.elementType))
    }
    let shown = measuring.watch("types on the wire: image", images.count)
    return try MaskEffect.of(
      wires.indices.map { Mask(lost: model.points.map { _ in [] }, wire: $0 + 1) },
      fill: .zero, wires: [.none] + wires, model: model, images: images,
      threads: measuring.threads, progress: { done, _ in shown(done) },
      isStopped: measuring.isStopped)
  }
}
