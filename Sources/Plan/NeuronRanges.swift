import Foundations

/// Sets of neurons as people write them: `0-15,32,40-47`.
enum NeuronRanges {
  /// Ascending, distinct numbers as ranges.
  static func format(_ neurons: [Int]) -> String {
    var pieces: [String] = []
    var index = 0
    while index < neurons.count {
      var last = index
      while last + 1 < neurons.count && neurons[last + 1] == neurons[last] + 1 { last += 1 }
      pieces.append(last == index ? "\(neurons[index])" : "\(neurons[index])-\(neurons[last])")
      index = last + 1
    }
    return pieces.joined(separator: ",")
  }

  /// Reads what `format` writes: ascending, distinct, below `count`.
  static func parse(_ text: String, count: Int) throws(MartletError) -> [Int] {
    var result: [Int] = []
    for piece in text.split(separator: ",") {
      let ends = piece.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let low = ends[0], let high = ends[ends.count - 1], ends.count <= 2, low <= high,
        low > (result.last ?? -1), high < count
      else {
        throw MartletError(
          .invalidFile, "neurons are not ascending ranges below \(count)",
          context: ["neurons": String(text.prefix(60))])
      }
      result += low...high
    }
    return result
  }
}
