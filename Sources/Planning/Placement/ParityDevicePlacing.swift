package import Foundations
package import Plan

extension Placing {
  /// Coded distributed computing (CDC): contiguous runs of neurons on all devices but the last, which
  /// holds the sum of the others' weights and biases, shorter runs padded with zeros.
  ///
  /// Any one device may be lost. The parity device also holds what the channel-local nodes behind a
  /// layer need, to go on with the neurons that it decodes. In a layer in which sums mean nothing it
  /// holds a copy of every neuron.
  ///
  /// - Parameter shares: by device; that of the last, the parity device, is not used.
  package static func parityDevice(
    _ layers: [LayerTraits], shares: [Double]
  ) throws(MartletError) -> [LayerPlacement] {
    guard shares.count >= 2, shares.dropLast().contains(where: { $0 > 0 }) else {
      throw MartletError(
        .invalidArgument, "a plan with a parity device needs a device beside it",
        context: ["devices": "\(shares.count)"])
    }
    let spare = shares.count - 1
    return layers.map { layer in
      var next = 0
      let counts = Apportionment.counts(of: layer.neurons, shares: Array(shares.dropLast()))
      let runs = counts.map { count in
        defer { next += count }
        return Array(next..<(next + count))
      }
      let holders = runs.enumerated().flatMap { device, run in run.map { _ in [device, spare] } }
      guard layer.isSummable else { return LayerPlacement(holders: holders) }
      let data = runs.enumerated().filter { !$1.isEmpty }.map {
        LayerCode.DataBlock(device: $0, neurons: $1)
      }
      let ones = ParityGenerator.coefficients(data: data.count, parity: 1)[0]
      let parity = LayerCode.ParityBlock(device: spare, coefficients: ones)
      let stripes = data.isEmpty ? [] : [LayerCode.Stripe(data: data, parity: [parity])]
      return LayerPlacement(holders: holders, code: LayerCode(stripes: stripes))
    }
  }
}
