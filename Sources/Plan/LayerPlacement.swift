import Foundations

/// Who holds the neurons of one layer: where each is computed while everybody is there, and who can
/// stand in when somebody is not.
package struct LayerPlacement: Sendable, Hashable {
  /// By neuron, the devices that hold it; the primary first, then its replicas in the order in which
  /// they stand in. At least one device, none twice.
  ///
  /// In a coded layer only the primary holds a neuron's weights. The devices after it hold what the
  /// channel-local nodes behind it need (the filters of a depthwise convolution), to go on with the
  /// neuron once it has been decoded.
  package var holders: [[Int]]
  /// How neurons of lost devices follow from sums that others compute; nil for a layer without code.
  package var code: LayerCode?

  /// Makes a placement.
  package init(holders: [[Int]], code: LayerCode? = nil) {
    self.holders = holders
    self.code = code
  }

  /// Each neuron once, from ascending neurons by device.
  package init(parts: [[Int]]) {
    var holders = [[Int]](repeating: [], count: parts.reduce(0) { $0 + $1.count })
    for (device, neurons) in parts.enumerated() {
      for neuron in neurons where holders.indices.contains(neuron) {
        holders[neuron].append(device)
      }
    }
    self.init(holders: holders)
  }

  /// The neurons whose primary is each of `devices` devices, ascending.
  package func primaries(devices: Int) -> [[Int]] {
    var result = [[Int]](repeating: [], count: devices)
    for (neuron, devices) in holders.enumerated() {
      if let primary = devices.first { result[primary].append(neuron) }
    }
    return result
  }
}

/// An erasure code over the outputs of a layer's weighted nodes before the activation, where they are
/// linear in the weights: devices that hold combinations of other devices' weights and biases compute
/// the same combinations of their outputs.
///
/// With one stripe, one parity block on a device of its own and coefficients 1 this is coded
/// distributed computing (Hadidi et al., EDGE 2023); with as many stripes as devices and rotating
/// roles it is what RAID does with disks.
package struct LayerCode: Sendable, Hashable {
  /// Neurons of one device that are combined, position by position, with the other data blocks of
  /// their stripe.
  package struct DataBlock: Sendable, Hashable {
    /// The primary of all its neurons.
    package var device: Int
    /// Ascending; the first of each block are combined, the second, and so on. Blocks of a stripe may
    /// differ in length: a shorter one counts as zero at the missing positions.
    package var neurons: [Int]

    /// Makes a block.
    package init(device: Int, neurons: [Int]) {
      self.device = device
      self.neurons = neurons
    }
  }

  /// A combination of a stripe's data blocks.
  package struct ParityBlock: Sendable, Hashable {
    /// The device that holds and computes it.
    package var device: Int
    /// One factor for each data block of the stripe, in order.
    package var coefficients: [Float]

    /// Makes a block.
    package init(device: Int, coefficients: [Float]) {
      self.device = device
      self.coefficients = coefficients
    }
  }

  /// Blocks on different devices, of which any few can be lost.
  package struct Stripe: Sendable, Hashable {
    /// The neurons; each of the layer's is in exactly one block of one stripe.
    package var data: [DataBlock]
    /// The combinations.
    package var parity: [ParityBlock]

    /// Makes a stripe.
    package init(data: [DataBlock], parity: [ParityBlock]) {
      self.data = data
      self.parity = parity
    }

    /// Positions: the length of its longest data block, and of every parity block.
    package var width: Int { data.map(\.neurons.count).max() ?? 0 }
  }

  /// The stripes.
  package var stripes: [Stripe]

  /// Makes a code.
  package init(stripes: [Stripe]) { self.stripes = stripes }
}

extension LayerCode {
  /// Whether a device holds any block.
  func involves(_ device: Int) -> Bool {
    stripes.contains { stripe in
      stripe.data.contains { $0.device == device } || stripe.parity.contains { $0.device == device }
    }
  }

  /// Rows of parity by device.
  func parityRows(devices: Int) -> [Int] {
    var rows = [Int](repeating: 0, count: devices)
    for stripe in stripes { for block in stripe.parity { rows[block.device] += stripe.width } }
    return rows
  }
}

extension LayerPlacement {
  /// That the placement fits a layer and a number of devices.
  func check(_ layer: Sharding.Layer, devices: Int) throws(MartletError) {
    func fail(_ message: String, _ code: MartletError.Code = .mismatch) -> MartletError {
      MartletError(code, message, context: ["layer": layer.id, "neurons": "\(layer.neurons)"])
    }
    guard holders.count == layer.neurons else {
      throw fail("\(holders.count) neurons of a layer are placed, not all")
    }
    for devicesOfNeuron in holders {
      guard !devicesOfNeuron.isEmpty else { throw fail("a neuron is on no device") }
      guard devicesOfNeuron.allSatisfy({ (0..<devices).contains($0) }) else {
        throw fail("a neuron is on a device that the plan does not have")
      }
      guard Set(devicesOfNeuron).count == devicesOfNeuron.count else {
        throw fail("a device holds a neuron twice")
      }
    }
    guard let code else { return }
    guard layer.isSummable else {
      throw fail(
        "a grouped convolution cannot be coded: its neurons read different inputs", .unsupported)
    }
    var seen = [Bool](repeating: false, count: layer.neurons)
    for stripe in code.stripes {
      let blocks = stripe.data.map(\.device) + stripe.parity.map(\.device)
      guard blocks.allSatisfy({ (0..<devices).contains($0) }), Set(blocks).count == blocks.count
      else { throw fail("the blocks of a stripe are not on different devices of the plan") }
      guard
        stripe.parity.allSatisfy({
          $0.coefficients.count == stripe.data.count && $0.coefficients.allSatisfy(\.isFinite)
        })
      else { throw fail("a parity block does not have one finite factor for each data block") }
      for block in stripe.data {
        guard zip(block.neurons, block.neurons.dropFirst()).allSatisfy(<) else {
          throw fail("the neurons of a data block are not ascending")
        }
        for neuron in block.neurons {
          guard seen.indices.contains(neuron), !seen[neuron], holders[neuron][0] == block.device
          else { throw fail("the code's data blocks are not the neurons of their devices") }
          seen[neuron] = true
        }
      }
    }
    guard seen.allSatisfy({ $0 }) else { throw fail("the code does not cover all neurons") }
  }
}
