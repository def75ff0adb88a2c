public import Plan

extension LayerPlacement {
  /// The neurons of an exchanged value that nobody can supply when only some devices are alive,
  /// ascending.
  ///
  /// Without a code a neuron is there while one of its holders is. A coded layer is decoded as a whole
  /// or not at all: if every stripe follows from what is left of it, everything is there; else what
  /// the failed devices were the primaries of is lost.
  ///
  /// - Parameters:
  ///   - alive: by device.
  ///   - isBehindFilters: whether depthwise filters stand between the layer and the exchange. A
  ///     decoded neuron then also needs a holder of its filter.
  public func lostNeurons(alive: [Bool], isBehindFilters: Bool = false) -> [Int] {
    func isAlive(_ device: Int) -> Bool { alive.indices.contains(device) && alive[device] }
    guard let code else {
      return holders.indices.filter { !holders[$0].contains(where: isAlive) }
    }
    guard code.stripes.allSatisfy({ $0.decoding { !isAlive($0) } != nil }) else {
      return holders.indices.filter { !(holders[$0].first.map(isAlive) ?? false) }
    }
    guard isBehindFilters else { return [] }
    return holders.indices.filter { !holders[$0].contains(where: isAlive) }
  }
}
