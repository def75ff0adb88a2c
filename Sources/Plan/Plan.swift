package import Foundations
package import ModelCards
package import ModelGraph
package import Tensors

/// How one model is spread over devices: the model's structure, the neurons of each device, and what
/// follows from both. Immutable; the weights are in one shard per device.
package struct Plan: Sendable {
  /// One machine running one worker.
  package struct Device: Sendable, Hashable, Codable {
    /// `[a-z0-9_-]{1,32}`, unique in the plan.
    package var name: String
    /// Relative share of the work asked for.
    package var share: Double
    /// Where it stands, such as `edge`; for people and for whoever starts it.
    package var tier: String?

    /// Makes a device.
    package init(name: String, share: Double = 1, tier: String? = nil) {
      self.name = name
      self.share = share
      self.tier = tier
    }
  }

  /// An exchange: the gathering of one sharded value.
  package struct ExchangePoint: Sendable, Hashable {
    /// Unique, `[a-z0-9_-]{1,32}`: the `<layer>` of its topics.
    package var id: String
    /// The value, in `Plan.graph`.
    package var value: ValueID
    /// The layer whose neurons the value's channels are; nil for rows of a value.
    package var layer: Int?
    /// The one device that gathers it, where the exchange is of a halo.
    package var reader: Int?
    /// The axis along which parts are cut.
    package var axis: Int
    /// The stage it ends while all devices are there, counted along the longest way through the whole
    /// model; nil for an exchange that only happens when some are missing.
    package var stage: Int?
    /// Whether outputs are gathered before the activation, to be decoded.
    package var isDecoded: Bool
    /// The value's shape.
    package var shape: Shape
    /// The most channels along `axis` that one device's part may have.
    package var maximumExtent: Int
    /// The devices that may send a part.
    package var senders: [Int]
    /// Whether it belongs to a block, whose output may be null.
    package var isWhole = false
    /// Whether parts are what devices contribute to the end of a pair, one behind the other along
    /// `axis`; `layer` is the hidden layer then.
    package var isPairSum = false

    /// Whether parts are rows of the value, with all their channels.
    package var isRows: Bool { layer == nil }

    /// Whether the plan's fill has constants for its lost channels. A lost contribution is zero.
    package var takesConstants: Bool { !isDecoded && !isRows && !isPairSum }

    /// Channels of the value that go with each neuron: all of a block's.
    var channelsPerNeuron: Int { isWhole && shape.rank > 1 ? shape[1] : 1 }
  }

  /// Which model, how prepared and read.
  package struct Model: Sendable, Equatable, Codable {
    /// The model's name.
    package var name: String
    /// SHA-256 of the model file, in hexadecimal.
    package var sha256: String
    /// How images become its input; nil when the model's input is not an image.
    package var preprocessing: Preprocessing?
    /// Class names by output index; empty when unknown.
    package var labels: [String]
    /// The share of each class among the training samples, where it is known: what a guess goes by.
    package var frequencies: [Double]?
    /// How its output is read; nil in plans that do not say.
    package var head: Head?

    /// Describes a model.
    package init(
      name: String, sha256: String, preprocessing: Preprocessing?, labels: [String],
      frequencies: [Double]? = nil, head: Head? = nil
    ) {
      self.head = head
      self.name = name
      self.sha256 = sha256
      self.preprocessing = preprocessing
      self.labels = labels
      self.frequencies = frequencies
    }
  }

  /// The model's facts.
  package let model: Model
  /// The partitioning method's name and options, for people.
  package let method: String
  /// The devices in order; their positions are the device numbers used everywhere.
  package let devices: [Device]
  /// The model's structure, without the elements of its constants.
  package let graph: Graph
  /// What is whole and what is split.
  package let sharding: Sharding
  /// Who holds each neuron, by layer.
  package let placements: [LayerPlacement]
  /// What stands in for lost channels.
  package let fill: Fill
  /// Every exchange: those of a frame with all devices in graph order, then those that only happen
  /// when some are missing.
  package let exchanges: [ExchangePoint]
  /// How the parts of each exchange travel; empty where the plan does not say. See `travelling`.
  package internal(set) var wire: [WireType] = []
  /// How the weights of layers are stored; see `storing`.
  package internal(set) var weights = WeightType.f32
  private let exchangeNumbers: [ExchangeKey: Int]
  /// Devices whose absence changes what others compute.
  private let hasStandIns: [Bool]

  private struct ExchangeKey: Hashable {
    var value: ValueID
    var isDecoded: Bool
    var reader: Int?
  }

  /// Puts a plan together and checks that it can run.
  ///
  /// - Parameters:
  ///   - graph: the model; its constants' elements are not kept.
  ///   - placements: by layer of `sharding`.
  /// - Throws: `invalidArgument` for bad device names; `mismatch` for placements that do not fit the
  ///   model or the devices, naming the layer; `unsupported` for a code where sums mean nothing.
  package init(
    model: Model, method: String, devices: [Device], graph: Graph, sharding: Sharding,
    placements: [LayerPlacement], fill: Fill = .zero
  ) throws(MartletError) {
    try Plan.check(devices)
    try Plan.check(graph)
    guard placements.count == sharding.layers.count else {
      throw MartletError(
        .mismatch,
        "the plan places \(placements.count) layers, the model has \(sharding.layers.count)")
    }
    for (layer, placement) in zip(sharding.layers, placements) {
      try placement.check(layer, devices: devices.count)
    }
    try Plan.checkPairs(graph, sharding, placements)
    if sharding.isVertical, fill.constants != nil {
      throw MartletError(
        .unsupported,
        "a vertical plan has no channel \(fill.kind.constantsName): what is lost is null")
    }
    try Plan.check(
      model.frequencies,
      outputs: graph.outputs.first.flatMap {
        (model.head ?? .unknown).classes(outputs: graph[$0].shape.count)
      })
    self.model = model
    self.method = method
    self.devices = devices
    var structure = graph
    structure.constants = [:]
    self.graph = structure
    self.sharding = sharding
    self.placements = placements
    self.fill = fill
    exchanges = Plan.exchangePoints(
      graph: structure, sharding: sharding, placements: placements, devices: devices.count)
    exchangeNumbers = Dictionary(
      uniqueKeysWithValues: exchanges.enumerated().map {
        (ExchangeKey(value: $1.value, isDecoded: $1.isDecoded, reader: $1.reader), $0)
      })
    hasStandIns = devices.indices.map { device in
      sharding.strips != nil
        || placements.contains { placement in
          placement.code?.involves(device) == true
            || placement.holders.contains { $0.count > 1 && $0.contains(device) }
        }
    }
    guard fill.fits(exchanges) else {
      throw MartletError(
        .mismatch,
        "the \(fill.kind.constantsName) for lost channels do not fit the exchanges of the plan")
    }
  }

  /// A plan in which each neuron is on one device.
  ///
  /// - Parameter parts: ascending neurons, by layer then device.
  /// - Throws: like the other initialiser.
  package init(
    model: Model, method: String, devices: [Device], graph: Graph, sharding: Sharding,
    parts: [[[Int]]]
  ) throws(MartletError) {
    for (layer, part) in zip(sharding.layers, parts) {
      guard part.count == devices.count,
        part.flatMap({ $0 }).sorted().elementsEqual(0..<layer.neurons)
      else {
        throw MartletError(
          .mismatch, "the parts of a layer do not cover each of its neurons exactly once",
          context: ["layer": layer.id, "neurons": "\(layer.neurons)"])
      }
    }
    try self.init(
      model: model, method: method, devices: devices, graph: graph, sharding: sharding,
      placements: parts.map { LayerPlacement(parts: $0) })
  }

  /// The neurons that each device computes while all are there, by layer then device; ascending.
  package var parts: [[[Int]]] {
    placements.map { $0.primaries(devices: devices.count) }
  }

  private static func check(
    _ frequencies: [Double]?, outputs: Int?
  ) throws(MartletError) {
    guard let frequencies else { return }
    guard frequencies.count == outputs, frequencies.allSatisfy({ (0...1).contains($0) }),
      abs(frequencies.reduce(0, +) - 1) < 1e-6
    else {
      throw MartletError(
        .mismatch, "the class frequencies are not one probability for each class of the model",
        context: ["frequencies": "\(frequencies.count)", "classes": "\(outputs ?? 0)"])
    }
  }

  /// What whoever reads inputs and outputs relies on.
  static func check(_ graph: Graph) throws(MartletError) {
    guard !graph.inputs.isEmpty, !graph.outputs.isEmpty else {
      throw MartletError(
        .unsupported, "a model without inputs or outputs cannot be planned",
        context: [
          "model": graph.name, "inputs": "\(graph.inputs.count)",
          "outputs": "\(graph.outputs.count)",
        ])
    }
    for id in graph.inputs + graph.outputs where graph[id].shape.count == 0 {
      throw MartletError(
        .invalidShape, "an input or output of the model has no elements",
        context: ["value": graph[id].name, "shape": "\(graph[id].shape)"])
    }
    for node in graph.nodes {
      guard case .exchange = node.operation else { continue }
      throw MartletError(
        .invalidFile, "a model has no exchanges: they follow from the plan",
        context: ["node": node.name])
    }
  }

  private static func check(_ devices: [Device]) throws(MartletError) {
    guard (1...Plan.maximumDevices).contains(devices.count) else {
      throw MartletError(
        .invalidArgument, "a plan needs 1 to \(maximumDevices) devices, not \(devices.count)")
    }
    for device in devices {
      guard Identifier.isValid(device.name) else {
        throw MartletError(
          .invalidArgument, "a device name must match [a-z0-9_-]{1,32}",
          context: ["device": device.name])
      }
      guard (0...maximumShare).contains(device.share) else {
        throw MartletError(
          .invalidArgument, "a device's share must be a number from 0 to 1e12",
          context: ["device": device.name, "share": "\(device.share)"])
      }
    }
    guard Set(devices.map(\.name)).count == devices.count else {
      throw MartletError(.invalidArgument, "two devices have the same name")
    }
    guard devices.contains(where: { $0.share > 0 }) else {
      throw MartletError(.invalidArgument, "every device's share is zero")
    }
  }

  /// The most devices that a plan may have.
  package static let maximumDevices = 256
  /// The largest share: sums of shares stay finite.
  private static let maximumShare = 1e12

  /// The position in `exchanges` of a value's gathering by all.
  func exchangeNumber(of value: ValueID, isDecoded: Bool) -> Int? {
    exchangeNumbers[ExchangeKey(value: value, isDecoded: isDecoded)]
  }

  /// The position in `exchanges` of the gathering of a value's rows by one device.
  func exchangeNumber(of value: ValueID, reader: Int) -> Int? {
    exchangeNumbers[ExchangeKey(value: value, isDecoded: false, reader: reader)]
  }

  /// Whether every device publishes what it sends for a frame in the order of the exchanges' stages. Not where
  /// devices' programs differ in what they wait for: of halos, of blocks, and with parity.
  package var sendsInStages: Bool {
    exchanges.allSatisfy { $0.stage != nil && $0.layer != nil && !$0.isWhole && !$0.isDecoded }
  }

  // MARK: Programs

  /// The same attendance as far as anybody's program depends on it: devices for whom nobody stands in
  /// count as there, and what they do not send is filled. With active replicas everybody always does
  /// the same.
  package func normalised(_ attendance: Attendance) -> Attendance {
    guard hasStandIns.contains(true) else { return .everyone(devices.count) }
    if attendance.replicas == .active, sharding.strips == nil {
      return .everyone(devices.count, replicas: .active)
    }
    if dispatchesFrames { return dispatched(attendance) }
    return Attendance(
      zip(attendance.roles, hasStandIns).map { $1 ? $0 : .awaited },
      replicas: attendance.replicas)
  }

  /// Whether others take over some of a device's work when it is missing: they hold copies, or it is
  /// part of a code.
  package func hasStandIn(for device: Int) -> Bool { hasStandIns[device] }

  /// What one device computes, sends and gathers in frames with that attendance; nil for the client,
  /// which computes the model's outputs.
  package func program(device: Int?, attendance: Attendance) -> DeviceProgram {
    DeviceLowering.program(self, PlanVariant(self, attendance), device: device)
  }

  /// What one device computes, sends and gathers while all are there.
  package func program(device: Int) -> DeviceProgram {
    program(device: device, attendance: .everyone(devices.count))
  }

  /// The exchanges that a device (nil: the client) may gather in some attendance; ascending.
  package func possibleGatherings(device: Int?) -> [Int] {
    var variants = [false, true].map { PlanVariant(everythingOf: self, decoding: $0) }
    variants.append(PlanVariant(self, .everyone(devices.count)))
    variants.append(PlanVariant(self, .everyone(devices.count, replicas: .active)))
    for missing in devices.indices where hasStandIns[missing] {
      var attendance = Attendance.everyone(devices.count)
      attendance.roles[missing] = .absent
      variants.append(PlanVariant(self, attendance))
    }
    var result: Set<Int> = []
    for variant in variants {
      result.formUnion(DeviceLowering.gatherings(self, variant, device: device))
    }
    // Who lacks which rows depends on who is there.
    if let device { result.formUnion(exchanges.indices.filter { exchanges[$0].reader == device }) }
    return result.sorted()
  }

  /// How many neurons of an exchange's layer are lost without a device's part.
  ///
  /// - Parameter missing: with active replicas, all devices whose parts may not have come: a neuron
  ///   of which another device holds a copy is not lost.
  package func neurons(
    of exchange: Int, from device: Int, attendance: Attendance, missing: Set<Int>
  ) -> Int {
    guard let layer = exchanges[exchange].layer else {
      return rows(of: exchanges[exchange], from: device, attendance: attendance)
    }
    let placement = placements[layer]
    let channels = exchanges[exchange].channelsPerNeuron
    guard attendance.replicas == .active else {
      return channels * LayerAssignment(placement, attendance).owners.count { $0 == device }
    }
    return channels
      * placement.holders.count { holders in
        holders[0] == device
          && (exchanges[exchange].isDecoded
            || holders.allSatisfy { $0 == device || missing.contains($0) })
      }
  }

  private func rows(
    of point: ExchangePoint, from device: Int, attendance: Attendance
  ) -> Int {
    guard let strips = sharding.strips else { return 0 }
    let layout = StripLayout(
      graph, strips, gathered: Set(sharding.exchanges), devices: devices.count,
      owners: .init(attendance, shares: devices.map(\.share)))
    guard strips.axes[point.value] != nil else { return 1 }
    return point.reader.map { layout.halo(point.value, from: device, to: $0).count }
      ?? layout.owned(point.value, by: device).count
  }

  /// Exchanges of a frame while all devices are there; those of one value's halos are one.
  package var exchangeCount: Int {
    Set(exchanges.filter { $0.stage != nil }.map { [$0.value.index, $0.isDecoded ? 1 : 0] }).count
  }

  /// The number of a device.
  ///
  /// - Throws: `notFound`, naming the devices that the plan has.
  package func deviceNumber(_ name: String) throws(MartletError) -> Int {
    if let number = devices.firstIndex(where: { $0.name == name }) { return number }
    throw MartletError(
      .notFound, "the plan has no device \"\(name)\"",
      hint: "it has " + devices.map(\.name).joined(separator: ", "))
  }
}
