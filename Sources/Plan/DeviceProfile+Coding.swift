package import Foundations
import JSONCoding
import ModelGraph
import TensorFiles

extension DeviceProfile: Codable {
  private enum CodingKeys: String, CodingKey {
    case format, version, machine, threads, share
    case kernelOverhead = "s_per_kernel"
    case rates, messages
  }

  /// The `format` of a profile.
  package static let format = "martlet-profile"
  /// The version that this program writes and reads.
  package static let version = 1
  /// The longest file in bytes.
  package static let maximumBytes = 64 << 10

  /// Reads the fields; `check` says whether they make sense.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    // What stands in another version is not even looked at.
    let format = try container.decode(String.self, forKey: .format)
    let version = try container.decode(Int.self, forKey: .version)
    guard format == Self.format, version == Self.version else {
      let found = format == Self.format ? "version \(version)" : "another format"
      throw DecodingError.dataCorruptedError(
        forKey: .version, in: container,
        debugDescription: "is \(found) where this program reads version \(Self.version) of "
          + "\(Self.format): run martlet bench device again on that device")
    }
    self.init(
      machine: try container.decode(Machine.self, forKey: .machine),
      threads: try container.decode(Int.self, forKey: .threads),
      share: try container.decode(Double.self, forKey: .share),
      kernelOverhead: try container.decode(Double.self, forKey: .kernelOverhead),
      rates: try container.decode([Rate].self, forKey: .rates),
      messages: try container.decodeIfPresent(Messages.self, forKey: .messages))
  }

  /// Writes all fields; messages only where they were measured.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.format, forKey: .format)
    try container.encode(Self.version, forKey: .version)
    try container.encode(machine, forKey: .machine)
    try container.encode(threads, forKey: .threads)
    try container.encode(share, forKey: .share)
    try container.encode(kernelOverhead, forKey: .kernelOverhead)
    try container.encode(rates, forKey: .rates)
    try container.encodeIfPresent(hasMeasuredMessages ? messages : nil, forKey: .messages)
  }
}

extension DeviceProfile {
  /// Reads a file that `martlet bench device --out` wrote.
  ///
  /// - Throws: `notFound`, `io`; `resourceExhausted` for a file that is too long; `invalidFile` for one
  ///   that is no profile of this version, or with rates that no machine has.
  package static func read(_ path: String) throws(MartletError) -> DeviceProfile {
    let bytes = try FileSystem.read(path, limit: maximumBytes)
    let profile: DeviceProfile
    do throws(MartletError) {
      profile = try JSON.decode(DeviceProfile.self, from: bytes, source: path)
      try profile.check()
    } catch {
      var error = error
      error.code = .invalidFile
      error.hint = "make it with martlet bench device --out FILE on the device itself"
      throw error.context.contains { $0.value == path } ? error : error.adding("file", path)
    }
    return profile
  }

  /// Writes a profile for `read`.
  package func write(to path: String) throws(MartletError) {
    try FileSystem.write(try JSON.encode(self, pretty: true), to: path)
  }

  /// Checks that every kind has rates, and that all numbers can be those of a machine.
  ///
  /// - Throws: `mismatch`, naming the field.
  package func check() throws(MartletError) {
    func require(_ condition: Bool, _ field: String) throws(MartletError) {
      guard condition else {
        throw MartletError(
          .mismatch, "a device's profile has a value that no device has",
          context: ["field": field])
      }
    }
    for (text, field) in [(machine.processor, "processor"), (machine.kernels, "kernels")] {
      try require(text.utf8.count <= 256, "machine." + field)
    }
    try require((1...256).contains(threads), "threads")
    try require((1e-3...1).contains(share), "share")
    try require((0...1).contains(kernelOverhead), "s_per_kernel")
    try require(rates.count == KernelKind.allCases.count, "rates")
    try require(Set(rates.map(\.kernel)).count == rates.count, "rates")
    for rate in rates {
      let both = [rate.operations, rate.bytes].compactMap { $0 }
      try require(
        !both.isEmpty && both.allSatisfy { (1e3...1e16).contains($0) },
        "rates." + rate.kernel.rawValue)
    }
    for handling in [messages.endpoint, messages.broker] {
      try require(
        (0...1).contains(handling.message) && (0...1e-3).contains(handling.byte), "messages")
    }
    try require((0...1).contains(messages.delay), "messages.delay_s")
  }

  /// Checks that it was measured on a machine like another.
  ///
  /// - Parameters:
  ///   - machine: this one.
  ///   - path: the file that it is from, for the error.
  /// - Throws: `mismatch`, with both machines.
  package func require(_ machine: Machine, file path: String) throws(MartletError) {
    guard self.machine != machine else { return }
    throw MartletError(
      .mismatch, "the profile was measured on another machine or with other kernels",
      context: [
        "file": path, "measured on": "\(self.machine.processor), \(self.machine.kernels)",
        "this machine": "\(machine.processor), \(machine.kernels)",
      ], hint: "run martlet bench device --out FILE on this device")
  }
}
