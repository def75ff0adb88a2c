package import Foundations
package import Plan

extension Placing {
  /// Every layer striped with an erasure code, as RAID does with disks, so that any `tolerating` of
  /// the devices may be lost without loss of a neuron.
  ///
  /// Neurons are dealt in rows of n - m, one to a device, with the next m devices holding parity of
  /// the row; each row begins where the one before ended, and a turn further after each round, so
  /// that all n rotations of the roles occur. Rows that begin at the same device are one stripe. So
  /// each device has its nth of the neurons to within one, over all layers too, and parity in the
  /// same measure. A row that is not full has fewer data blocks.
  ///
  /// A layer in which sums mean nothing, and every layer when all but one device may be lost, is
  /// copied to m + 1 devices instead. With more than `ParityGenerator.maximumBlocks` devices and more
  /// than one to tolerate, a stripe spans only as many devices as there are tables for, at a higher
  /// price.
  ///
  /// - Parameters:
  ///   - shares: by device; they must be equal, because a stripe is no better than its equal blocks.
  ///   - tolerating: how many devices may be lost; 0 gives a plain round robin.
  ///   - importance: by layer then neuron. Given, neurons are dealt in descending order of it, so
  ///     that losing too many devices takes an equal part of the important ones.
  package static func coded(
    _ layers: [LayerTraits], shares: [Double], tolerating: Int, importance: [[Double]]? = nil
  ) throws(MartletError) -> [LayerPlacement] {
    let devices = shares.count
    try check(devices: devices, tolerating: tolerating)
    guard let first = shares.first, first > 0, shares.allSatisfy({ $0 == first }) else {
      throw MartletError(
        .invalidArgument, "a coded plan needs equal shares",
        context: ["shares": shares.map { "\($0)" }.joined(separator: ",")],
        hint: "give every device the same share, or use another method")
    }
    let span =
      tolerating <= 1
      ? devices : min(devices, max(ParityGenerator.maximumBlocks, tolerating + 1))
    var next = 0
    return layers.enumerated().map { number, layer in
      defer { next = (next + layer.neurons) % devices }
      let order = descending(importance?[number], count: layer.neurons)
      let rows = StripeRows(
        devices: devices, data: span - tolerating, neurons: layer.neurons, odd: next)
      var standIns = StandIns(devices: devices)
      var holders = [[Int]](repeating: [], count: layer.neurons)
      for (position, neuron) in order.enumerated() {
        let primary = rows.device(of: position)
        holders[neuron] =
          [primary]
          + standIns.order(of: Array(0..<devices), behind: primary, limit: tolerating)
      }
      guard tolerating > 0, span - tolerating > 1, layer.isSummable else {
        return LayerPlacement(holders: holders)
      }
      let code = LayerCode(stripes: rows.stripes(order, parity: tolerating))
      return LayerPlacement(holders: holders, code: code)
    }
  }

  /// Neurons by descending importance, ties in neuron order; in neuron order without importance.
  static func descending(_ importance: [Double]?, count: Int) -> [Int] {
    guard let importance else { return Array(0..<count) }
    return (0..<count).sorted { (importance[$1], $0) < (importance[$0], $1) }
  }
}

/// Where a neuron goes that is dealt at some position.
private struct StripeRows {
  let devices: Int
  /// Data blocks of a full row.
  let data: Int
  /// Rows after which every device has had equally many neurons.
  private let round: Int
  /// The device of position 0.
  private let offset: Int

  /// - Parameter odd: the device at which the last round begins, which may not go all the way round.
  ///   Where it ends, the next layer's last round goes on.
  init(devices: Int, data: Int, neurons: Int, odd: Int) {
    self.devices = devices
    self.data = data
    var (a, b) = (devices, data)
    while b != 0 { (a, b) = (b, a % b) }
    round = devices / a
    let turns = max(0, neurons - 1) / (round * data)
    offset = (odd + devices - turns % devices) % devices
  }

  /// The device at which a row begins; the stripe it belongs to.
  private func start(of row: Int) -> Int { (offset + row * data + row / round) % devices }

  func device(of position: Int) -> Int {
    (start(of: position / data) + position % data) % devices
  }

  /// The rows that begin at the same device, by that device.
  func stripes(_ order: [Int], parity: Int) -> [LayerCode.Stripe] {
    var blocks = [[[Int]]](
      repeating: [[Int]](repeating: [], count: data), count: devices)
    for (position, neuron) in order.enumerated() {
      blocks[start(of: position / data)][position % data].append(neuron)
    }
    return blocks.enumerated().compactMap { start, blocks in
      // Rows fill from the front, so what is empty is at the end.
      let filled = blocks.filter { !$0.isEmpty }
      guard !filled.isEmpty else { return nil }
      let factors = ParityGenerator.coefficients(data: filled.count, parity: parity)
      return LayerCode.Stripe(
        data: filled.enumerated().map { role, neurons in
          LayerCode.DataBlock(device: (start + role) % devices, neurons: neurons.sorted())
        },
        parity: factors.enumerated().map { number, coefficients in
          LayerCode.ParityBlock(
            device: (start + data + number) % devices, coefficients: coefficients)
        })
    }
  }
}
