/// Dividing whole neurons by fractional shares.
enum Apportionment {
  /// How many of `total` each share gets: largest remainders, ties to the earlier one.
  static func counts(of total: Int, shares: [Double]) -> [Int] {
    let sum = shares.reduce(0, +)
    let exact = shares.map { Double(total) * $0 / sum }
    var counts = exact.map { Int($0.rounded(.down)) }
    let byRemainder = shares.indices.sorted {
      let (a, b) = (exact[$0] - Double(counts[$0]), exact[$1] - Double(counts[$1]))
      return a != b ? a > b : $0 < $1
    }
    for index in byRemainder.prefix(total - counts.reduce(0, +)) { counts[index] += 1 }
    return counts
  }

  /// Deals items in order: each goes to the share that is furthest behind its due, so that equal
  /// shares take turns and any prefix is divided as evenly as whole items allow.
  static func deal(_ items: [Int], shares: [Double]) -> [[Int]] {
    let sum = shares.reduce(0, +)
    var hands = [[Int]](repeating: [], count: shares.count)
    for (dealt, item) in items.enumerated() {
      let behind = shares.indices.map {
        Double(dealt + 1) * shares[$0] / sum - Double(hands[$0].count)
      }
      let next = behind.indices.max {
        behind[$0] < behind[$1] || (behind[$0] == behind[$1] && $0 > $1)
      }
      hands[next ?? 0].append(item)
    }
    return hands
  }
}
