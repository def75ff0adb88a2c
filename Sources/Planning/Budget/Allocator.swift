import Glibc

/// Chooses a protection for each layer so that, within a budget, the expected agreement with the
/// undamaged model is as high as possible.
///
/// What is left after f failures is taken for exp(-loss), the loss being a sum over layers, and the best choice for given weights of the numbers of failures is a
/// knapsack: each layer's options are reduced to the lower convex hull of damage over bytes, and
/// upgrades are bought by their gain per byte (exact up to the last upgrade). The weights follow from
/// what is left, which follows from the choice, so both are found in turn, from several beginnings;
/// different beginnings give different candidates, and the caller measures which is best.
package struct Allocator: Sendable {
  private let bytes: [[Int]]
  /// By layer, option and number of failures less one, in nats.
  private let losses: [[[Double]]]
  private let failures: Int
  /// Numbers of failures that nobody asked for still decide what the rest of a budget buys.
  static let leastWeight = 1e-3

  /// - Parameters:
  ///   - bytes: by layer and option.
  ///   - losses: of the same options, by number of failures less one, in nats.
  package init(bytes: [[Int]], losses: [[[Double]]]) {
    self.bytes = bytes
    self.losses = losses
    failures = losses.first?.first?.count ?? 0
  }

  /// Different good choices within a budget, best first as far as the sum tells.
  ///
  /// - Parameters:
  ///   - weights: how much each number of failures counts, from 1 on.
  ///   - budget: bytes, all devices together.
  /// - Returns: option numbers by layer; empty if the budget is below the minimum.
  package func choices(weights: [Double], budget: Int) -> [[Int]] {
    var found: [[Int]] = []
    for emphasis in 0...failures {
      // The first beginning takes the weights as they are, the others look at one number each.
      var current = (0..<failures).map { index in
        let own = index < weights.count ? weights[index] : 0
        return emphasis == 0 || emphasis == index + 1
          ? max(own, Allocator.leastWeight) : Allocator.leastWeight
      }
      for _ in 0..<6 {
        guard let choice = knapsack(current, budget: budget) else { return [] }
        if !found.contains(choice) { found.append(choice) }
        let kept = survival(choice)
        current = (0..<failures).map { index in
          let own = index < weights.count ? weights[index] : 0
          return max(own, Allocator.leastWeight) * max(kept[index], 1e-6)
        }
      }
    }
    let scored = found.map { choice in
      (choice: choice, value: zip(survival(choice), weights).reduce(0) { $0 + $1.0 * $1.1 })
    }
    return scored.enumerated().sorted {
      ($1.element.value, $0.offset) < ($0.element.value, $1.offset)
    }.map(\.element.choice)
  }

  /// What is left after 1, 2 and more failures, as the sum tells.
  package func survival(_ choice: [Int]) -> [Double] {
    (0..<failures).map { index in
      exp(-zip(losses, choice).reduce(0) { $0 + $1.0[$1.1][index] })
    }
  }

  private struct Upgrade {
    var layer: Int
    var option: Int
    var extra: Int
    var rate: Double
  }

  private func knapsack(_ weights: [Double], budget: Int) -> [Int]? {
    let cost = losses.map { options in
      options.map { zip($0, weights).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    var choice: [Int] = []
    var upgrades: [Upgrade] = []
    for layer in bytes.indices {
      let hull = lowerHull(bytes[layer], cost[layer])
      guard let first = hull.first else { return nil }
      choice.append(first)
      for (from, to) in zip(hull, hull.dropFirst()) {
        let extra = bytes[layer][to] - bytes[layer][from]
        upgrades.append(
          Upgrade(
            layer: layer, option: to, extra: extra,
            rate: (cost[layer][from] - cost[layer][to]) / Double(max(extra, 1))))
      }
    }
    var left = budget - zip(bytes, choice).reduce(0) { $0 + $1.0[$1.1] }
    guard left >= 0 else { return nil }
    upgrades.sort { ($1.rate, $0.layer) < ($0.rate, $1.layer) }
    var closed: Set<Int> = []
    for upgrade in upgrades where !closed.contains(upgrade.layer) {
      if upgrade.extra <= left {
        left -= upgrade.extra
        choice[upgrade.layer] = upgrade.option
      } else {
        closed.insert(upgrade.layer)
      }
    }
    spend(left, cost, &choice)
    return choice
  }

  /// Buys, with what the hull left over, whatever single change gains most and fits.
  private func spend(_ left: Int, _ cost: [[Double]], _ choice: inout [Int]) {
    var left = left
    while true {
      var best: Upgrade?
      for layer in bytes.indices {
        let own = choice[layer]
        for option in bytes[layer].indices {
          let extra = bytes[layer][option] - bytes[layer][own]
          let gain = cost[layer][own] - cost[layer][option]
          guard extra <= left, gain > 1e-12, gain > best?.rate ?? 0 else { continue }
          best = Upgrade(layer: layer, option: option, extra: extra, rate: gain)
        }
      }
      guard let best else { return }
      left -= best.extra
      choice[best.layer] = best.option
    }
  }

  /// Options on the lower convex hull of cost over bytes, by ascending bytes.
  private func lowerHull(_ bytes: [Int], _ cost: [Double]) -> [Int] {
    let order = bytes.indices.sorted { (bytes[$0], cost[$0]) < (bytes[$1], cost[$1]) }
    var hull: [Int] = []
    for option in order {
      if let last = hull.last {
        guard cost[option] < cost[last] - 1e-15 else { continue }
        if bytes[option] == bytes[last] { continue }
      }
      while hull.count >= 2 {
        let (a, b) = (hull[hull.count - 2], hull[hull.count - 1])
        let first = (cost[a] - cost[b]) / Double(bytes[b] - bytes[a])
        let second = (cost[b] - cost[option]) / Double(bytes[option] - bytes[b])
        if second <= first { break }
        hull.removeLast()
      }
      hull.append(option)
    }
    return hull
  }
}
