/// All subsets of `0..<count`, as sets, by number of members.
func subsets(of count: Int) -> [Set<Int>] {
  (0..<(1 << count)).map { bits in Set((0..<count).filter { bits >> $0 & 1 == 1 }) }
    .sorted { $0.count < $1.count }
}

/// The ratio of the largest to the smallest singular value, from the eigenvalues of the Gram matrix
/// (Jacobi rotations).
func conditionNumber(_ rows: [[Double]]) -> Double {
  let size = rows.count
  var gram = (0..<size).map { i in
    (0..<size).map { j in zip(rows[i], rows[j]).reduce(0) { $0 + $1.0 * $1.1 } }
  }
  for _ in 0..<60 {
    for p in 0..<size {
      for q in (p + 1)..<max(size, p + 1) where abs(gram[p][q]) > 1e-15 {
        let theta = (gram[q][q] - gram[p][p]) / (2 * gram[p][q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in 0..<size {
          let (x, y) = (gram[k][p], gram[k][q])
          (gram[k][p], gram[k][q]) = (c * x - s * y, s * x + c * y)
        }
        for k in 0..<size {
          let (x, y) = (gram[p][k], gram[q][k])
          (gram[p][k], gram[q][k]) = (c * x - s * y, s * x + c * y)
        }
      }
    }
  }
  let values = (0..<size).map { gram[$0][$0] }
  return ((values.max() ?? 1) / max(values.min() ?? 1, 1e-300)).squareRoot()
}
