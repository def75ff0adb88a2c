/// Which images of a set represent it.
package enum CalibrationChoice {
  /// The positions of up to `count` images, ascending, the same every time.
  ///
  /// Where all labels are known, classes get equally many images as far as they have them: the first
  /// of each class, then the second of each, and where not all classes can have one, classes at equal
  /// distances. Without labels, images at equal distances.
  package static func indices(labels: [Int?], count: Int) -> [Int] {
    guard count > 0 else { return [] }
    let known = labels.compactMap { $0 }
    guard known.count == labels.count else { return spread(Array(labels.indices), count) }
    let classes = Dictionary(grouping: labels.indices, by: { known[$0] })
      .sorted { $0.key < $1.key }.map(\.value)
    var chosen: [Int] = []
    var round = 0
    while chosen.count < min(count, labels.count) {
      let candidates = classes.filter { $0.count > round }.map { $0[round] }
      chosen += spread(candidates, count - chosen.count)
      round += 1
    }
    return chosen.sorted()
  }

  private static func spread(_ items: [Int], _ count: Int) -> [Int] {
    guard items.count > count else { return items }
    return (0..<count).map { items[$0 * items.count / count] }
  }
}
