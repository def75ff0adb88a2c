// Which neurons are lost with some devices, by the rules by which frames are computed.

import ModelGraph

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
  package func lostNeurons(alive: [Bool], isBehindFilters: Bool = false) -> [Int] {
    let attendance = Attendance(alive: alive)
    let isDecodable = code?.decodings(attendance) != nil
    if isDecodable && !isBehindFilters { return [] }
    let owners = owners(attendance, standsIn: code == nil || isDecodable)
    return owners.indices.filter { !attendance.awaits(owners[$0]) }
  }

  /// By neuron, the device whose copy is used. A lost neuron stays with its primary.
  func owners(_ attendance: Attendance, standsIn: Bool) -> [Int] {
    holders.map { holders in
      (standsIn ? holders.first { attendance.awaits($0) } : nil) ?? holders[0]
    }
  }
}

extension Plan {
  /// Whether these devices supply every neuron, by their own copies or by codes. In a model with
  /// depthwise filters a coded layer needs a holder of each filter besides.
  ///
  /// - Parameter alive: by device.
  package func isWhole(alive: [Bool]) -> Bool {
    let weighted = Set(sharding.layers.flatMap(\.weightedNodes) + sharding.pairs)
    let hasFilters = graph.nodes.enumerated().contains { number, node in
      guard case .convolution(_) = node.operation else { return false }
      return !weighted.contains(number)
    }
    return placements.allSatisfy {
      $0.lostNeurons(alive: alive, isBehindFilters: hasFilters).isEmpty
    }
  }
}

extension LayerCode {
  /// How each stripe's lost blocks follow from the others; nil if those of some stripe do not.
  func decodings(_ attendance: Attendance) -> [[Stripe.Decoding]]? {
    var result: [[Stripe.Decoding]] = []
    for stripe in stripes {
      guard let decoding = stripe.decoding(missing: { !attendance.awaits($0) }) else { return nil }
      result.append(decoding)
    }
    return result
  }
}
