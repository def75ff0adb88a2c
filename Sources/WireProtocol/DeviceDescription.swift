package import Foundations
package import Plan
import Tensors

/// What a device holds and can do. Topic `desc/<device>`, retained.
package struct DeviceDescription: WireMessage, Equatable {
  /// One part that the device computes.
  package struct Part: Codable, Sendable, Equatable {
    /// The layer's topic id.
    package var layer: String
    /// How many of the layer's neurons the device computes.
    package var neurons: Int

    /// `neurons` neurons of `layer`.
    package init(layer: String, neurons: Int) {
      self.layer = layer
      self.neurons = neurons
    }
  }

  /// The machine.
  package struct Hardware: Codable, Sendable, Equatable {
    /// The instruction set: `x86_64`, `aarch64`.
    package var architecture: String
    /// Processor cores in use.
    package var cores: Int
    /// Physical memory in bytes.
    package var memoryBytes: UInt64
    /// The operating system, in words.
    package var system: String

    /// The kernels with which it multiplies, in words, when it says: `OpenBLAS 0.3.21 SkylakeX`.
    package var kernels: String?

    /// A machine.
    package init(architecture: String, cores: Int, memoryBytes: UInt64, system: String) {
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
  package var version: String
  /// The remote methods that it answers, as `service/method`.
  package var methods: [String]
  /// The plan that it runs.
  package var plan: String
  /// The name of the plan's model, when it says.
  package var model: String?
  /// The plan's partitioning method, when it says: for people, with what it was told.
  package var method: String?
  /// The method's name alone, when it says: for programs.
  package var methodName: String?
  /// Its parts, in the plan's order.
  package var parts: [Part]
  /// The machine.
  package var hardware: Hardware
  /// The element types in which it takes frames' inputs, by their names in tensors; absent for all but
  /// `U8`, pixels, which the first versions did not know.
  package var inputs: [String]?

  /// Whether frames may come as pixels.
  package var takesPixels: Bool { inputs?.contains(ElementType.uint8.rawValue) == true }
  /// How fast the machine is, when it says.
  package var profile: PublishedProfile?

  /// Describes a device.
  package init(
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
    case parts, hardware, inputs, profile
  }

  /// The most bytes of a payload.
  package static let maximumBytes = 256 * 1024

  /// Checks ranges and lengths; see `WireMessage`.
  package func check() throws(MartletError) {
    try Field.text(version, "version", atMost: 64)
    try Field.text(plan, "plan", atMost: TensorHeader.maximumPlanBytes)
    try Field.count(methods.count, "methods", atMost: 256)
    for method in methods { try Field.text(method, "methods", atMost: 80) }
    try Field.count(parts.count, "parts", atMost: 4096)
    try Field.count(inputs?.count ?? 0, "inputs", atMost: 16)
    for type in inputs ?? [] { try Field.text(type, "inputs", atMost: 16) }
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

/// A device's profile in its description: that of a version which this program does not know, or with
/// numbers that no device has, is as good as none.
package struct PublishedProfile: Codable, Sendable, Equatable {
  /// What could be read.
  package var profile: DeviceProfile?

  /// A profile to publish.
  package init(_ profile: DeviceProfile) { self.profile = profile }

  /// Reads what is there.
  package init(from decoder: any Decoder) throws {
    guard let profile = try? DeviceProfile(from: decoder), (try? profile.check()) != nil else {
      return
    }
    self.profile = profile
  }

  /// Writes the profile, or null.
  package func encode(to encoder: any Encoder) throws {
    if let profile { return try profile.encode(to: encoder) }
    var container = encoder.singleValueContainer()
    try container.encodeNil()
  }
}
