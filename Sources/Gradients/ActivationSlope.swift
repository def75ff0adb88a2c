// The derivatives of activations.

import ModelGraph

extension Activation {
  /// Whether f'(x) is a function of f(x), so that a layer may keep its activation fused.
  var slopeFollowsFromResult: Bool {
    switch self {
    case .relu, .clip, .sigmoid, .tanh: true
    // A slope of 0 or below folds the line, or turns it over.
    case .leakyRelu(let slope): slope > 0
    case .hardSigmoid(let slope, _): slope != 0
    case .silu, .gelu, .hardSwish: false
    }
  }
}
