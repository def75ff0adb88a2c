/// Deals the neurons of one layer after another to devices that are all free to take them. In each
/// layer every device gets its share to within one neuron; who gets the odd neurons of a layer is
/// decided by what the layers before left owing, so that the odd ones even out.
struct PrimaryDealer {
  private let shares: [Double]
  /// By device, how many neurons fewer than its due it has of the layers so far.
  private var owed: [Double]

  init(shares: [Double]) {
    let sum = shares.reduce(0, +)
    self.shares = shares.map { $0 / sum }
    owed = shares.map { _ in 0 }
  }

  /// The device of each neuron.
  mutating func deal(_ neurons: Int) -> [Int] {
    var counts = [Double](repeating: 0, count: shares.count)
    let result = (1...max(1, neurons)).prefix(neurons).map { dealt in
      let behind = shares.indices.map { Double(dealt) * shares[$0] - counts[$0] }
      // Differences below rounding are ties.
      let next =
        shares.indices.max { a, b in
          if abs(behind[a] - behind[b]) > 1e-9 { return behind[a] < behind[b] }
          if abs(owed[a] - owed[b]) > 1e-9 { return owed[a] < owed[b] }
          return a > b
        } ?? 0
      counts[next] += 1
      return next
    }
    for device in shares.indices {
      owed[device] += Double(neurons) * shares[device] - counts[device]
    }
    return result
  }
}
