public import TensorCore

/// What a device holds and can do. Topic `desc/<device>`, retained.
public struct DeviceDescription: WireMessage, Equatable {
  /// One part that the device computes.
  public struct Part: Codable, Sendable, Equatable {
    /// The layer's topic id.
    public var layer: String
    /// How many of the layer's neurons the device computes.
    public var neurons: Int

    /// `neurons` neurons of `layer`.
    public init(layer: String, neurons: Int) {
      self.layer = layer
      self.neurons = neurons
    }
  }

  /// The machine.
  public struct Hardware: Codable, Sendable, Equatable {
    /// The instruction set: `x86_64`, `aarch64`.
    public var architecture: String
    /// Processor cores in use.
    public var cores: Int
    /// Physical memory in bytes.
    public var memoryBytes: UInt64
    /// The operating system, in words.
    public var system: String

    /// The kernels with which it multiplies, in words, when it says: `OpenBLAS 0.3.21 SkylakeX`.
    public var kernels: String?

    /// A machine.
    public init(architecture: String, cores: Int, memoryBytes: UInt64, system: String) {
      self.architecture = architecture
      self.cores = cores
      self.memoryBytes = memoryBytes
      self.system = system
    }

    enum CodingKeys: String, CodingKey {
      case architecture, cores
      case memoryBytes = "memory_bytes"
      case system, kernels
    }
  }

  /// The program's version.
  public var version: String
  /// The remote methods that it answers, as `service/method`.
  public var methods: [String]
  /// The plan that it runs.
  public var plan: String
  /// The name of the plan's model, when it says.
  public var model: String?
  /// The plan's partitioning method, when it says: for people, with what it was told.
  public var method: String?
  /// The method's name alone, when it says: for programs.
  public var methodName: String?
  /// Its parts, in the plan's order.
  public var parts: [Part]
  /// The machine.
  public var hardware: Hardware

  /// Describes a device.
  public init(
    version: String, methods: [String], plan: String, parts: [Part], hardware: Hardware
  ) {
    self.version = version
    self.methods = methods
    self.plan = plan
    self.parts = parts
    self.hardware = hardware
  }

  enum CodingKeys: String, CodingKey {
    case version, methods, plan, model, method
    case methodName = "method_name"
    case parts, hardware
  }

  /// The most bytes of a payload.
  public static let maximumBytes = 256 * 1024

  /// Checks ranges and lengths; see `WireMessage`.
  public func check() throws(MartletError) {
    try Field.text(version, "version", atMost: 64)
    try Field.text(plan, "plan", atMost: TensorHeader.maximumPlanBytes)
    try Field.count(methods.count, "methods", atMost: 256)
    for method in methods { try Field.text(method, "methods", atMost: 80) }
    try Field.count(parts.count, "parts", atMost: 4096)
    try Field.text(model ?? "", "model")
    try Field.text(method ?? "", "method")
    try Field.text(methodName ?? "", "method_name", atMost: 64)
    for part in parts {
      try Field.identifier(part.layer, "parts.layer")
      try Field.count(part.neurons, "parts.neurons", atMost: 1 << 30)
    }
    try Field.text(hardware.architecture, "hardware.architecture", atMost: 64)
    try Field.count(hardware.cores, "hardware.cores", atMost: 1 << 16)
    try Field.number(hardware.memoryBytes, "hardware.memory_bytes")
    try Field.text(hardware.system, "hardware.system")
    try Field.text(hardware.kernels ?? "", "hardware.kernels")
  }
}
