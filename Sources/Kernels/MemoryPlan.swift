/// Places storages in one arena so that no two that live at the same time overlap.
///
/// Greedy by size: the largest first, each at the lowest offset that is free for its whole life.
/// (Y. Pisarchyk and J. Lee, "Efficient memory management for deep neural net inference", 2020.)
package struct MemoryPlan: Sendable {
  /// One thing to place.
  package struct Request: Sendable {
    /// Bytes; rounded up to whole cache lines.
    package var bytes: Int
    /// First and last moment, inclusive, at which the storage holds something.
    package var birth: Int
    package var death: Int
    package init(bytes: Int, birth: Int, death: Int) {
      self.bytes = bytes
      self.birth = birth
      self.death = death
    }
  }

  package static let alignment = 64

  /// Byte offsets, one for each request.
  package let offsets: [Int]
  /// The arena's size.
  package let bytes: Int

  package init(_ requests: [Request]) {
    var offsets = [Int](repeating: 0, count: requests.count)
    var end = 0
    // Kept in order of offset, so that one sweep finds the lowest gap.
    var placed: [(offset: Int, end: Int, birth: Int, death: Int)] = []
    let order = requests.indices.sorted {
      (-requests[$0].bytes, requests[$0].birth, $0) < (-requests[$1].bytes, requests[$1].birth, $1)
    }
    for index in order {
      let request = requests[index]
      let size = (request.bytes + Self.alignment - 1) / Self.alignment * Self.alignment
      guard size > 0 else { continue }
      var offset = 0
      for other in placed where other.birth <= request.death && request.birth <= other.death {
        if other.offset - offset >= size { break }
        offset = max(offset, other.end)
      }
      offsets[index] = offset
      end = max(end, offset + size)
      let position = placed.partitioningIndex { $0.offset >= offset }
      placed.insert((offset, offset + size, request.birth, request.death), at: position)
    }
    self.offsets = offsets
    self.bytes = end
  }
}

extension Array {
  /// The first index whose element satisfies `predicate`, given that all after it do too.
  func partitioningIndex(_ predicate: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
