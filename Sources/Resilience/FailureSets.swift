package import Foundations

/// Which devices fail together: ascending device numbers.
package enum FailureSets {
  /// The most failure sets that one study looks at.
  package static let maximumCount = 4096

  /// Every set of at most `failures` of `devices` devices, the empty one first, then by size, then in
  /// the order of the numbers. The set of all devices is left out: then nobody answers.
  ///
  /// - Throws: `invalidArgument` when there are more than `maximumCount`, saying how many failures
  ///   can be studied.
  package static func upTo(_ failures: Int, devices: Int) throws(MartletError) -> [[Int]] {
    let wanted = min(max(failures, 0), devices - 1)
    let possible = (0..<devices).last { count(upTo: $0, devices: devices) != nil } ?? 0
    guard wanted <= possible else {
      throw MartletError(
        .invalidArgument, "there are too many ways in which the devices can fail",
        context: [
          "devices": "\(devices)", "failures": "\(wanted)", "limit": "\(maximumCount) sets",
        ], hint: "at most \(possible) failures can be studied: --failures \(possible)")
    }
    return (0...max(wanted, 0)).flatMap { subsets(of: devices, size: $0) }
  }

  /// How many sets `upTo` gives; nil for more than `maximumCount`.
  static func count(upTo failures: Int, devices: Int) -> Int? {
    var total = 0
    var binomial = 1
    for size in 0...max(failures, 0) {
      total += binomial
      if total > maximumCount { return nil }
      binomial = binomial * (devices - size) / (size + 1)
    }
    return total
  }

  /// How many sets of a size there are.
  static func choose(_ devices: Int, _ size: Int) -> Double {
    (0..<size).reduce(1) { $0 * Double(devices - $1) / Double($1 + 1) }.rounded()
  }

  private static func subsets(of devices: Int, size: Int) -> [[Int]] {
    var result: [[Int]] = []
    var current = Array(0..<size)
    while true {
      result.append(current)
      guard let position = current.indices.last(where: { current[$0] < devices - size + $0 })
      else { return result }
      let next = current[position] + 1
      for index in position..<size { current[index] = next + index - position }
    }
  }
}
