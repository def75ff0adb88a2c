import ModelGraph

/// What each device computes of one layer in a frame with a given attendance.
///
/// Neurons are computed in *blocks*: what a device is the primary of is one block, and what it stands
/// in for is one block for each set of devices that must be missing. Blocks are the same in every
/// attendance, so that a device keeps one copy of their weights.
struct LayerAssignment: Sendable, Hashable {
  /// How the outputs of lost devices are decoded.
  struct Recovery: Sendable, Hashable {
    /// A parity block that is used.
    struct Parity: Sendable, Hashable {
      var stripe: Int
      /// Position among the stripe's parity blocks.
      var number: Int
      var device: Int
      /// Where its rows begin in the gathered value, behind the layer's neurons.
      var start: Int
      var width: Int
    }

    /// In order of `start`.
    var parity: [Parity]
    /// How each neuron follows from the gathered rows.
    var rows: [[Combination.Term]]
    /// Rows of the gathered value: the neurons, then the parity.
    var extent: Int
  }

  /// By device: ascending neurons of each block.
  var blocks: [[[Int]]]
  /// By neuron, the device whose copy is used. A lost neuron stays with its primary, who is absent.
  var owners: [Int]
  /// How the layer is decoded; nil when no code is needed or none helps.
  var recovery: Recovery?

  init(_ placement: LayerPlacement, _ attendance: Attendance) {
    let devices = attendance.roles.count
    let primaries = placement.primaries(devices: devices)
    let recovery = placement.code.flatMap {
      Recovery($0, neurons: placement.holders.count, attendance)
    }
    let standsIn = placement.code == nil || recovery != nil
    self.recovery = recovery
    owners = placement.owners(attendance, standsIn: standsIn)
    let standby =
      standsIn ? LayerAssignment.standby(placement, devices: devices) : []
    blocks = (0..<devices).map { device in
      let own = primaries[device]
      switch attendance[device] {
      case .absent: return []
      case .probed:
        // Also where others stand in: what it sends shows that it is back.
        return own.isEmpty ? [] : [own]
      case .awaited:
        let active = standby.filter { block in
          block.device == device && !block.instead.contains { attendance.awaits($0) }
        }
        return (own.isEmpty ? [] : [own]) + active.map(\.neurons)
      }
    }
  }

  /// Everything that any attendance may make each device compute.
  init(everythingOf placement: LayerPlacement, devices: Int, decoding: Bool) {
    owners = placement.holders.map { $0[0] }
    recovery =
      decoding
      ? placement.code.map { Recovery(everythingOf: $0, neurons: placement.holders.count) } : nil
    let standby =
      placement.code == nil || decoding
      ? LayerAssignment.standby(placement, devices: devices) : []
    let primaries = placement.primaries(devices: devices)
    blocks = (0..<devices).map { device in
      (primaries[device].isEmpty ? [] : [primaries[device]])
        + standby.filter { $0.device == device }.map(\.neurons)
    }
  }

  private struct Standby {
    var device: Int
    /// The devices that must all be missing.
    var instead: [Int]
    var neurons: [Int]
  }

  private static func standby(_ placement: LayerPlacement, devices: Int) -> [Standby] {
    struct Key: Hashable {
      var device: Int
      var instead: [Int]
    }
    var neurons: [Key: [Int]] = [:]
    for (neuron, holders) in placement.holders.enumerated() {
      for (rank, device) in holders.enumerated().dropFirst() {
        neurons[Key(device: device, instead: holders[..<rank].sorted()), default: []].append(neuron)
      }
    }
    return neurons.map { Standby(device: $0.device, instead: $0.instead, neurons: $1) }
      .sorted {
        ($0.device, $0.instead.count) != ($1.device, $1.instead.count)
          ? ($0.device, $0.instead.count) < ($1.device, $1.instead.count)
          : $0.instead.lexicographicallyPrecedes($1.instead)
      }
  }
}

extension LayerAssignment.Recovery {
  /// Nil when nothing has to be decoded, or not everything that is missing can be.
  init?(_ code: LayerCode, neurons: Int, _ attendance: Attendance) {
    guard let decodings = code.decodings(attendance), decodings.contains(where: { !$0.isEmpty })
    else { return nil }
    rows = (0..<neurons).map { [Combination.Term(index: $0, factor: 1)] }
    parity = []
    extent = neurons
    for (number, (stripe, decoding)) in zip(code.stripes, decodings).enumerated() {
      var starts: [Int: Int] = [:]
      let used = Set(decoding.flatMap { $0.parity.map(\.block) })
      for index in used.sorted() { starts[index] = add(stripe, number, index) }
      for lost in decoding {
        for (row, neuron) in stripe.data[lost.lostBlock].neurons.enumerated() {
          rows[neuron] = stripe.terms(lost, row: row, parityStarts: starts)
        }
      }
    }
  }

  /// Every parity block; nothing is decoded with it.
  init(everythingOf code: LayerCode, neurons: Int) {
    rows = (0..<neurons).map { [Combination.Term(index: $0, factor: 1)] }
    parity = []
    extent = neurons
    for (number, stripe) in code.stripes.enumerated() {
      for index in stripe.parity.indices { _ = add(stripe, number, index) }
    }
  }

  private mutating func add(_ stripe: LayerCode.Stripe, _ number: Int, _ index: Int) -> Int {
    defer { extent += stripe.width }
    parity.append(
      Parity(
        stripe: number, number: index, device: stripe.parity[index].device, start: extent,
        width: stripe.width))
    return extent
  }
}
