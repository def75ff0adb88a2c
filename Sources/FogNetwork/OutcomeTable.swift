/// What many failure combinations come to, each distinct sub-result named once.
///
/// What a unit puts out depends only on which of its arrivals are null and on what the others put
/// out: combinations that agree in this share the work.
struct OutcomeTable {
  /// One distinct result of a unit.
  struct Variant: Hashable {
    /// Which result of each arrival's unit is added; nil for null. 0 for sources.
    var arrivals: [Int?]
  }

  /// By unit: its distinct results.
  private(set) var variants: [[Variant]]
  /// By combination: the cloud's result, nil when it is null.
  private(set) var answers: [Int?] = []

  init(_ design: FogDesign, _ combinations: [FailureCombination]) {
    variants = Array(repeating: [], count: design.units.count)
    var numbers = Array(repeating: [Variant: Int](), count: design.units.count)
    for combination in combinations {
      var results: [Int?] = []
      for (index, unit) in design.units.enumerated() {
        guard combination.alive[unit.node] else {
          results.append(nil)
          continue
        }
        let variant = Variant(
          arrivals: unit.arrivals.map { arrival in
            switch arrival.origin {
            case .source: 0
            case .unit(let number): results[number]
            }
          })
        guard variant.arrivals.contains(where: { $0 != nil }) else {
          results.append(nil)
          continue
        }
        if let known = numbers[index][variant] {
          results.append(known)
        } else {
          numbers[index][variant] = variants[index].count
          results.append(variants[index].count)
          variants[index].append(variant)
        }
      }
      answers.append(results[results.count - 1])
    }
  }

  /// How many runs of units there are for one batch.
  var runs: Int { variants.reduce(0) { $0 + $1.count } }
}
