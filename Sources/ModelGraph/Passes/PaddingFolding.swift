import Foundations

extension Graph {
  /// Takes zeros that are added around an image into the convolution that follows.
  func withFoldedPadding() throws(MartletError) -> Graph {
    try rewritten { (rewriter, node) in
      guard case .convolution(var convolution) = node.operation, convolution.spread == nil,
        let before = rewriter.definition(node.inputs[0]),
        case .pad(let first, let last, let value) = before.operation, value == 0,
        first.count == 4, first[0] == 0, first[1] == 0, last[0] == 0, last[1] == 0,
        first.allSatisfy({ $0 >= 0 }), last.allSatisfy({ $0 >= 0 })
      else { return false }
      convolution.padding.top += first[2]
      convolution.padding.left += first[3]
      convolution.padding.bottom += last[2]
      convolution.padding.right += last[3]
      rewriter.emit(
        node.replacing(
          .convolution(convolution), inputs: [before.inputs[0]] + node.inputs.dropFirst()))
      return true
    }
  }
}
