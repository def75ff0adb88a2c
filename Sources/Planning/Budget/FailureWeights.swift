import Glibc

/// How much each number of failures counts.
package enum FailureWeights {
  /// Weights for 1 to `failures` failures of `devices` devices, each a tenth of the next: what counts
  /// is what is left after `failures`, and fewer decide between plans that are close then. Equal
  /// weights would spend all on few failures, where whole answers are cheap.
  package static func surviving(_ failures: Int, devices: Int) -> [Double] {
    let count = max(1, min(failures, devices - 1))
    let tenths = (1..<max(2, devices)).map { $0 <= count ? pow(10, Double($0 - count)) : 0 }
    let sum = tenths.reduce(0, +)
    return tenths.map { $0 / sum }
  }

  /// The probability of each number of failures from 1 on, when each device survives with its own
  /// reliability (deepFogGuard, equation 3, with failure sets of one size taken together).
  package static func reliabilities(_ values: [Double]) -> [Double] {
    var probability = [1.0] + [Double](repeating: 0, count: values.count)
    for value in values {
      for failures in probability.indices.reversed() {
        let fewer = failures > 0 ? probability[failures - 1] : 0
        probability[failures] = probability[failures] * value + fewer * (1 - value)
      }
    }
    return Array(probability.dropFirst().prefix(max(1, values.count - 1)))
  }
}
