public import Imaging
public import ModelGraph
public import TensorCore

/// How one model is spread over devices: the model's structure, the neurons of each device, and what
/// follows from both. Immutable; the weights are in one shard per device.
public struct Plan: Sendable {
  /// One machine running one worker.
  public struct Device: Sendable, Hashable, Codable {
    /// `[a-z0-9_-]{1,32}`, unique in the plan.
    public var name: String
    /// Relative share of the work asked for.
    public var share: Double

    /// Makes a device.
    public init(name: String, share: Double = 1) {
      self.name = name
      self.share = share
    }
  }

  /// The gathering of one sharded value.
  public struct ExchangePoint: Sendable, Hashable {
    /// Unique, `[a-z0-9_-]{1,32}`: the `<layer>` of its topics.
    public var id: String
    /// The value, in `Plan.graph`.
    public var value: ValueID
    /// The layer whose neurons the value's channels are.
    public var layer: Int
    /// The axis along which parts are cut.
    public var axis: Int
    /// The stage it ends.
    public var stage: Int
    /// The gathered shape.
    public var shape: Shape
    /// Channels of each device's part along `axis`, by device.
    public var extents: [Int]

    /// The shape of one device's part.
    public func partShape(_ device: Int) -> Shape {
      shape.replacing(axis: axis, with: extents[device])
    }
  }

  /// Which model, how prepared and read.
  public struct Model: Sendable, Equatable, Codable {
    /// The model's name.
    public var name: String
    /// SHA-256 of the model file, in hexadecimal.
    public var sha256: String
    /// How images become its input; nil when the model's input is not an image.
    public var preprocessing: Preprocessing?
    /// Class names by output index; empty when unknown.
    public var labels: [String]

    /// Describes a model.
    public init(name: String, sha256: String, preprocessing: Preprocessing?, labels: [String]) {
      self.name = name
      self.sha256 = sha256
      self.preprocessing = preprocessing
      self.labels = labels
    }
  }

  /// The model's facts.
  public let model: Model
  /// The partitioning method's name and options, for people.
  public let method: String
  /// The devices in order; their positions are the device numbers used everywhere.
  public let devices: [Device]
  /// The model's structure, without the elements of its constants.
  public let graph: Graph
  /// What is whole and what is split.
  public let sharding: Sharding
  /// Neurons of each device, by layer then device; ascending.
  public let parts: [[[Int]]]
  /// Every exchange, in graph order.
  public let exchanges: [ExchangePoint]

  /// Puts a plan together and checks that every neuron of every layer is on exactly one device.
  ///
  /// - Parameter graph: the model; its constants' elements are not kept.
  /// - Throws: `invalidArgument` for bad device names or parts that do not cover a layer exactly.
  public init(
    model: Model, method: String, devices: [Device], graph: Graph, sharding: Sharding,
    parts: [[[Int]]]
  ) throws(MartletError) {
    try Plan.check(devices)
    guard parts.count == sharding.layers.count else {
      throw MartletError(
        .mismatch, "the plan places \(parts.count) layers, the model has \(sharding.layers.count)")
    }
    for (layer, part) in zip(sharding.layers, parts) {
      guard part.count == devices.count,
        part.flatMap({ $0 }).sorted().elementsEqual(0..<layer.neurons),
        part.allSatisfy({ zip($0, $0.dropFirst()).allSatisfy(<) })
      else {
        throw MartletError(
          .mismatch, "the parts of a layer do not cover each of its neurons exactly once",
          context: ["layer": layer.id, "neurons": "\(layer.neurons)"])
      }
    }
    self.model = model
    self.method = method
    self.devices = devices
    var structure = graph
    structure.constants = [:]
    self.graph = structure
    self.sharding = sharding
    self.parts = parts
    exchanges = Plan.exchangePoints(graph: graph, sharding: sharding, parts: parts)
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
      guard device.share.isFinite, device.share >= 0 else {
        throw MartletError(
          .invalidArgument, "a device's share must be a finite number, zero or more",
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
  public static let maximumDevices = 256

  private static func exchangePoints(
    graph: Graph, sharding: Sharding, parts: [[[Int]]]
  ) -> [ExchangePoint] {
    var taken: Set<String> = []
    return sharding.exchanges.enumerated().compactMap { number, value in
      guard case .sharded(let layer, let axis) = sharding[value] else { return nil }
      let id = Identifier.make(from: sharding.layers[layer].id, avoiding: taken)
      taken.insert(id)
      return ExchangePoint(
        id: id, value: value, layer: layer, axis: axis, stage: sharding.exchangeStages[number],
        shape: graph[value].shape, extents: parts[layer].map(\.count))
    }
  }

  /// What one device computes, sends and gathers.
  public func program(device: Int) -> DeviceProgram { lowered(device) }

  /// What a client computes: the model's outputs from gathered parts.
  public func clientProgram() -> DeviceProgram { lowered(nil) }

  private func lowered(_ device: Int?) -> DeviceProgram {
    Lowering.program(
      model: graph, sharding: sharding, parts: parts, exchangeIDs: exchanges.map(\.id),
      device: device)
  }

  /// The number of a device.
  ///
  /// - Throws: `notFound`, naming the devices that the plan has.
  public func deviceNumber(_ name: String) throws(MartletError) -> Int {
    if let number = devices.firstIndex(where: { $0.name == name }) { return number }
    throw MartletError(
      .notFound, "the plan has no device \"\(name)\"",
      hint: "it has " + devices.map(\.name).joined(separator: ", "))
  }
}
