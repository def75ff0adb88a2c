import Foundations
import Planning
import Testing

/// Lines 10 to 20 of Algorithm 1 as they stand: the inner loop visits every other group, earlier ones
/// too, the current group being whatever it has grown to. A group that was removed is not visited.
private func literalGroups(_ scores: [[Double]], threshold: Double) -> [[Int]] {
  var groups: [[Int]?] = scores.indices.map { [$0] }
  for z in groups.indices {
    for q in groups.indices where q != z {
      guard let current = groups[z], let other = groups[q] else { continue }
      var largest = 0.0
      for j in current {
        for o in other {
          var sum = 0.0
          for a in scores[j].indices {
            sum += (scores[j][a] - scores[o][a]) * (scores[j][a] - scores[o][a])
          }
          let distance = sum.squareRoot()
          if distance > largest { largest = distance }
        }
      }
      if largest < threshold {
        groups[z] = current + other
        groups[q] = nil
      }
    }
  }
  return groups.compactMap { $0 }
}

@Suite("Clustering neurons")
struct ClusteringTests {
  private func points(
    _ count: Int, dimensions: Int, grid: Int? = nil, using random: inout SeededGenerator
  ) -> [[Double]] {
    (0..<count).map { _ in
      (0..<dimensions).map { _ in
        let value = Double.random(in: 0...1, using: &random)
        return grid.map { (value * Double($0)).rounded() / Double($0) } ?? value
      }
    }
  }

  @Test("gives the groups of Algorithm 1")
  func literal() {
    var random = SeededGenerator(seed: 7)
    for round in 0..<150 {
      let count = Int.random(in: 0...(round < 140 ? 60 : 300), using: &random)
      // A grid makes duplicates and distances that equal the threshold.
      let points = points(
        count, dimensions: Int.random(in: 1...3, using: &random),
        grid: [nil, 3, 8][round % 3], using: &random)
      let thresholds = [0, 1e-9, 0.125, 0.25, 1 / 3.0, 0.5, 1, 1.5, 2, .infinity]
      let threshold =
        round % 2 == 0 ? thresholds[round % thresholds.count] : .random(in: 0...2, using: &random)
      #expect(
        Clustering.groups(points, threshold: threshold)
          == literalGroups(points, threshold: threshold), "round \(round)")
    }
  }

  @Test("zero leaves identical neurons alone, infinity makes one group")
  func extremes() {
    let same = [[Double]](repeating: [0.5, 0.5], count: 5)
    #expect(Clustering.groups(same, threshold: 0).count == 5)
    #expect(Clustering.groups(same, threshold: 1e-300).count == 1)
    #expect(Clustering.groups([[0], [1e300]], threshold: .infinity) == [[0, 1]])
    #expect(Clustering.groups([], threshold: 1) == [])
  }

  @Test("a distance that equals the threshold is too far")
  func strict() {
    #expect(Clustering.groups([[0], [0.5], [1]], threshold: 0.5) == [[0], [1], [2]])
    #expect(Clustering.groups([[0], [0.5], [1]], threshold: 0.75) == [[0, 1], [2]])
  }

  @Test("a group keeps growing, and its largest distance decides")
  func growing() {
    // 0.4 joins 0; 0.8 is near 0.4 but too far from 0; 0.2 is near both.
    #expect(Clustering.groups([[0], [0.4], [0.8], [0.2]], threshold: 0.5) == [[0, 1, 3], [2]])
  }

  @Test("4096 neurons take seconds at most, whatever the threshold")
  func speed() {
    var random = SeededGenerator(seed: 1)
    let points = points(4096, dimensions: 3, using: &random)
    let clock = ContinuousClock()
    for threshold in [0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6, 1.72, .infinity] {
      var groups = 0
      let time = clock.measure {
        groups = Clustering.groups(points, threshold: threshold).count
      }
      print("clustering 4096 neurons, threshold \(threshold): \(groups) groups, \(time)")
      #expect(time < .seconds(10))
    }
  }
}
