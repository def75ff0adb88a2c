import Foundations

/// A layer's placement as `plan.json` has it: neurons in ranges, devices by name.
struct PlacementDocument: Codable {
  /// Neurons with the same holders.
  struct Group: Codable {
    var devices: [String]
    var neurons: String
  }

  struct DataBlock: Codable {
    var device: String
    var neurons: String
  }

  struct ParityBlock: Codable {
    var device: String
    var coefficients: [Float]
  }

  struct Stripe: Codable {
    var data: [DataBlock]
    var parity: [ParityBlock]
  }

  /// The most neurons that a layer of a plan may have.
  static let maximumNeurons = 1 << 24

  var id: String
  var neurons: Int
  /// Positions of a block's nodes; absent for a layer of neurons.
  var nodes: String?
  /// Who holds what, primaries first.
  var holders: [Group]
  /// Absent without a code. Positions of data blocks are combined in ascending order of neurons.
  var stripes: [Stripe]?

  init(_ layer: Sharding.Layer, _ placement: LayerPlacement, devices: [Plan.Device]) {
    id = layer.id
    neurons = layer.neurons
    nodes = layer.block.map { NeuronRanges.format($0.nodes) }
    var groups: [[Int]: [Int]] = [:]
    for (neuron, holders) in placement.holders.enumerated() {
      groups[holders, default: []].append(neuron)
    }
    holders = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { holders, neurons in
      Group(devices: holders.map { devices[$0].name }, neurons: NeuronRanges.format(neurons))
    }
    stripes = placement.code?.stripes.map { stripe in
      Stripe(
        data: stripe.data.map {
          DataBlock(device: devices[$0.device].name, neurons: NeuronRanges.format($0.neurons))
        },
        parity: stripe.parity.map {
          ParityBlock(device: devices[$0.device].name, coefficients: $0.coefficients)
        })
    }
  }

  /// The placement that this describes; `Plan` checks that it fits the model.
  func placement(devices: [String: Int]) throws(MartletError) -> LayerPlacement {
    func number(_ name: String) throws(MartletError) -> Int {
      guard let number = devices[name] else {
        throw MartletError(
          .invalidFile, "a layer is placed on a device that the plan does not have",
          context: ["layer": id, "device": name])
      }
      return number
    }
    // The layer's weights may be in no file here, so nothing else bounds what it says of itself.
    guard (0...PlacementDocument.maximumNeurons).contains(neurons) else {
      throw MartletError(
        .resourceExhausted, "a layer has more neurons than can be placed",
        context: [
          "layer": id, "neurons": "\(neurons)", "limit": "\(PlacementDocument.maximumNeurons)",
        ])
    }
    var holders = [[Int]](repeating: [], count: neurons)
    for group in self.holders {
      let members = try group.devices.map(number)
      for neuron in try NeuronRanges.parse(group.neurons, count: neurons) {
        guard holders[neuron].isEmpty else {
          throw MartletError(
            .invalidFile, "a neuron is placed twice",
            context: ["layer": id, "neuron": "\(neuron)"])
        }
        holders[neuron] = members
      }
    }
    guard let stripes else { return LayerPlacement(holders: holders) }
    var code = LayerCode(stripes: [])
    for stripe in stripes {
      code.stripes.append(
        LayerCode.Stripe(
          data: try stripe.data.map { block throws(MartletError) in
            LayerCode.DataBlock(
              device: try number(block.device),
              neurons: try NeuronRanges.parse(block.neurons, count: neurons))
          },
          parity: try stripe.parity.map { block throws(MartletError) in
            LayerCode.ParityBlock(
              device: try number(block.device), coefficients: block.coefficients)
          }))
    }
    return LayerPlacement(holders: holders, code: code)
  }
}
