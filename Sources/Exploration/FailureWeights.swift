/// How much each number of failures counts.
public enum FailureWeights {
  /// Equal weights for 1 to `failures` failures of `devices` devices.
  public static func surviving(_ failures: Int, devices: Int) -> [Double] {
    let count = max(1, min(failures, devices - 1))
    return (1..<max(2, devices)).map { $0 <= count ? 1 / Double(count) : 0 }
  }

  /// The probability of each number of failures from 1 on, when each device survives with its own
  /// reliability (deepFogGuard, equation 3, with failure sets of one size taken together).
  public static func reliabilities(_ values: [Double]) -> [Double] {
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
