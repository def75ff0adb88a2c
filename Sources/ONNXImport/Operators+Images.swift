import Foundations
import ModelGraph

// Operators over whole images.
extension Operators {
  static let images: [String: Rule] = [
    "GlobalAveragePool": { (lowering, node) throws(MartletError) in
      try globalPooling(&lowering, node, .mean)
    },
    "GlobalMaxPool": { (lowering, node) throws(MartletError) in
      try globalPooling(&lowering, node, .maximum)
    },
  ]

  private static func globalPooling(
    _ lowering: inout Lowering, _ node: NodeReader, _ kind: Reduction.Kind
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let rank = lowering.shape(x).rank
    guard rank >= 3 else {
      throw MartletError(.invalidShape, "the operand is no image", context: ["rank": "\(rank)"])
    }
    return [try lowering.add(.reduction(Reduction(kind: kind, axes: Array(2..<rank))), [x], node)]
  }
}
