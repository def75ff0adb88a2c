extension FlightReport {
  /// One device.
  package struct Device: Codable, Sendable, Equatable {
    /// Its name.
    package var name: String
    /// Its architecture and operating system, where it said so.
    package var hardware: String?
    /// All its runs together.
    package var figures: DeviceFigures
    /// Each run of the device by itself.
    package var epochs: [Epoch]
    /// Stages in the order of the plan.
    package var stages: [Stage]
    /// Its presence over time.
    package var presence: [Presence]
  }

  /// One run of a device.
  package struct Epoch: Codable, Sendable, Equatable {
    /// The run's number.
    package var epoch: UInt64
    /// What it came to.
    package var figures: DeviceFigures
    /// The numbers of its messages, by kind of metric.
    package var sequences: [String: Sequence]
  }

  /// From when on a device was in a state.
  package struct Presence: Codable, Sendable, Equatable {
    /// `starting`, `ready`, `draining`, `offline`, `lost`, or `silent` when no heartbeat came for
    /// three beats.
    package var state: String
    /// From, in seconds from the report's start; before it for what was there already.
    package var startSeconds: Double
    /// To.
    package var endSeconds: Double

    enum CodingKeys: String, CodingKey {
      case state
      case startSeconds = "start_s"
      case endSeconds = "end_s"
    }
  }

  /// What a device's metrics come to: all in one object in JSON, whatever kind of metric it is from,
  /// so that no two kinds may have a member of the same name.
  package struct DeviceFigures: Codable, Sendable, Equatable {
    /// The device.
    package var device: String
    /// Its frames.
    package var counts: Counts
    /// Energy.
    package var energy: Energy?
    /// Memory.
    package var memory: Memory?
    /// What it does for its frames.
    package var work: Work
    /// Its processor.
    package var system: System

    private enum CodingKeys: String, CodingKey {
      case device, energy, memory
    }

    init(
      device: String, counts: Counts, energy: Energy?, memory: Memory?, work: Work, system: System
    ) {
      self.device = device
      self.counts = counts
      self.energy = energy
      self.memory = memory
      self.work = work
      self.system = system
    }

    package init(from decoder: any Decoder) throws {
      let members = try decoder.container(keyedBy: CodingKeys.self)
      device = try members.decode(String.self, forKey: .device)
      counts = try Counts(from: decoder)
      energy = try members.decodeIfPresent(Energy.self, forKey: .energy)
      memory = try members.decodeIfPresent(Memory.self, forKey: .memory)
      work = try Work(from: decoder)
      system = try System(from: decoder)
    }

    /// Members come in the order in which they are encoded.
    package func encode(to encoder: any Encoder) throws {
      var members = encoder.container(keyedBy: CodingKeys.self)
      try members.encode(device, forKey: .device)
      try counts.encode(to: encoder)
      try members.encodeIfPresent(energy, forKey: .energy)
      try members.encodeIfPresent(memory, forKey: .memory)
      try work.encode(to: encoder)
      try system.encode(to: encoder)
    }
  }
}

extension Figure where Subject == FlightReport.DeviceFigures {
  /// Of a device, in the order of CSV.
  package static var all: [Figure] { counts + energy + memory + work + system }
}
