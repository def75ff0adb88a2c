/// Grouping neurons of similar importance (RobustDiCE, Algorithm 1, step 2).
///
/// The paper's two loops run over the groups, which begin as one neuron each: the current group
/// absorbs every other group to which its largest pairwise distance is below the threshold, goes on
/// as the merged group, and the next group that is left becomes current. The paper leaves open
/// whether the inner loop returns to earlier groups. It makes no difference: groups only grow, so the
/// largest distance between two groups that once were too far apart never shrinks, and every group
/// that was current has been too far from every group that is still there. For the same reason all
/// groups after the current one are single neurons. So one pass per group over the neurons that have
/// no group yet gives exactly the groups of the paper, with at most one distance for each pair of
/// neurons.
package enum Clustering {
  /// Groups of neurons, each in ascending order and in the order of their first members.
  ///
  /// A neuron joins when its distance to every member is strictly below the threshold. So 0 leaves
  /// every neuron alone, identical ones too, and infinity makes one group.
  ///
  /// - Parameters:
  ///   - points: by neuron, one to three finite scores.
  ///   - threshold: zero or more.
  package static func groups(_ points: [[Double]], threshold: Double) -> [[Int]] {
    guard threshold > 0 else { return points.indices.map { [$0] } }
    guard threshold < .infinity else { return points.isEmpty ? [] : [Array(points.indices)] }
    // The neurons without a group yet come first; what a pass leaves moves to the front.
    var candidates = points.enumerated().map { (neuron: $0, place: Place($1)) }
    var count = candidates.count
    var groups: [[Int]] = []
    while count > 0 {
      var members = [candidates[0].place]
      var group = [candidates[0].neuron]
      var left = 0
      for index in 1..<max(1, count) {
        let candidate = candidates[index]
        if members.allSatisfy({ $0.distance(to: candidate.place) < threshold }) {
          members.append(candidate.place)
          group.append(candidate.neuron)
        } else {
          candidates[left] = candidate
          left += 1
        }
      }
      groups.append(group)
      count = left
    }
    return groups
  }

  /// A threshold from which on all of the points are one group.
  static func ceiling(_ points: [[Double]]) -> Double {
    guard let first = points.first else { return 1 }
    let squares = first.indices.map { axis in
      let values = points.map { $0[axis] }
      let extent = (values.max() ?? 0) - (values.min() ?? 0)
      return extent * extent
    }
    // Above the diagonal by more than rounding, and above zero where all points are the same.
    return squares.reduce(0, +).squareRoot() * 1.000001 + .leastNormalMagnitude
  }
}

/// A point; scores that are not used are zero and change no distance.
private struct Place {
  let x: Double
  let y: Double
  let z: Double

  init(_ scores: [Double]) {
    x = scores.first ?? 0
    y = scores.count > 1 ? scores[1] : 0
    z = scores.count > 2 ? scores[2] : 0
  }

  @inline(__always)
  func distance(to other: Place) -> Double {
    let (dx, dy, dz) = (x - other.x, y - other.y, z - other.z)
    return (dx * dx + dy * dy + dz * dz).squareRoot()
  }
}
