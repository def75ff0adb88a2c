import Foundations
package import Plan

/// The methods that decide which devices hold a layer's neurons. Each is a function of the layers
/// alone, without files or images, and gives the same placements for the same arguments.
package enum Placing {
  /// Each neuron once, from parts by layer then device.
  package static func single(_ parts: [[[Int]]]) -> [LayerPlacement] {
    parts.map { LayerPlacement(parts: $0) }
  }

  /// Every neuron on every device: dual, triple or quadruple modular redundancy for two, three or
  /// four devices.
  ///
  /// - Parameter shares: how the neurons are divided while everybody is there, by device.
  package static func replicate(_ layers: [LayerTraits], shares: [Double]) -> [LayerPlacement] {
    copies(layers, shares: shares, tolerating: shares.count - 1)
  }

  /// Every neuron on its own device and on `tolerating` others, or on all if there are not that many.
  ///
  /// - Parameter shares: how the neurons are divided while everybody is there, by device.
  package static func copies(
    _ layers: [LayerTraits], shares: [Double], tolerating: Int
  ) -> [LayerPlacement] {
    var dealer = PrimaryDealer(shares: shares)
    return layers.map { layer in
      var standIns = StandIns(devices: shares.count)
      let holders = dealer.deal(layer.neurons).map { primary in
        [primary] + standIns.order(of: Array(shares.indices), behind: primary, limit: tolerating)
      }
      return LayerPlacement(holders: holders)
    }
  }

  static func check(devices: Int, tolerating: Int) throws(MartletError) {
    guard devices >= 1, (0..<devices).contains(tolerating) else {
      throw MartletError(
        .invalidArgument, "\(devices) devices cannot survive the loss of \(tolerating)",
        hint: "tolerate 0 to \(max(0, devices - 1))")
    }
  }
}
