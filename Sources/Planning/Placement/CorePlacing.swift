package import Plan

extension Placing {
  /// The most important neurons of every layer on all devices, the others on few: whoever is left has
  /// a network of the neurons that matter most, and not of some chance selection as large.
  ///
  /// Both kinds are dealt in descending order of importance, so that every device is the primary of
  /// equally many of each.
  ///
  /// - Parameters:
  ///   - importance: by layer then neuron.
  ///   - share: the part of each layer's neurons that is on all devices, 0 to 1, rounded down.
  ///   - rest: on how many devices each of the others is, 1 or more.
  package static func core(
    _ layers: [LayerTraits], importance: [[Double]], devices: Int, share: Double, rest: Int = 1
  ) -> [LayerPlacement] {
    var dealer = PrimaryDealer(shares: [Double](repeating: 1, count: devices))
    return zip(layers, importance).map { layer, importance in
      let everywhere = Int(Double(layer.neurons) * min(max(share, 0), 1))
      var standIns = StandIns(devices: devices)
      var holders = [[Int]](repeating: [], count: layer.neurons)
      let order = descending(importance, count: layer.neurons)
      for (position, primary) in dealer.deal(layer.neurons).enumerated() {
        let limit = position < everywhere ? devices - 1 : min(rest, devices) - 1
        holders[order[position]] =
          [primary] + standIns.order(of: Array(0..<devices), behind: primary, limit: limit)
      }
      return LayerPlacement(holders: holders)
    }
  }

  /// Each neuron once, in contiguous runs (layer output partitioning).
  package static func contiguous(_ layers: [LayerTraits], shares: [Double]) -> [LayerPlacement] {
    layers.map { layer in
      let counts = Apportionment.counts(of: layer.neurons, shares: shares)
      return LayerPlacement(
        holders: counts.enumerated().flatMap { device, count in
          [[Int]](repeating: [device], count: count)
        })
    }
  }
}
