/// What processes use, sampled while all is quiet: judges whether it grows.
package struct ResourceLedger: Sendable {
  /// One look at a process.
  package struct Sample: Sendable, Hashable {
    /// Resident memory.
    package var residentBytes: Int
    /// Open descriptors.
    package var descriptors: Int

    /// A look at a process.
    package init(residentBytes: Int, descriptors: Int) {
      self.residentBytes = residentBytes
      self.descriptors = descriptors
    }
  }

  /// The most resident memory that a worker may ever have.
  package let residentLimit: Int
  /// Growth from quarter to quarter of a process's life that is no leak.
  package static let allowedGrowth = 6 << 20

  private struct Process {
    var name: String
    var samples: [Sample] = []
  }

  private var processes: [Int32: Process] = [:]

  /// No samples.
  package init(residentLimit: Int) { self.residentLimit = residentLimit }

  /// Adds a sample of a process.
  package mutating func add(_ sample: Sample, process: Int32, name: String) {
    processes[process, default: Process(name: name)].samples.append(sample)
  }

  /// The open descriptors in a process's last sample.
  package func descriptors(of process: Int32) -> Int? {
    processes[process]?.samples.last?.descriptors
  }

  /// The most resident memory in any sample.
  package var peakResidentBytes: Int {
    processes.values.flatMap(\.samples).map(\.residentBytes).max() ?? 0
  }

  /// Steady growth of resident memory in bytes, the most of all processes that lived through at least
  /// sixteen samples: from the second quarter to the third or from the third to the last, whichever is
  /// less. A burst makes one of them large, since allocators keep what it needed; a leak makes both.
  package var growth: Int? { processes.values.compactMap(Self.growth).max() }

  /// What is wrong.
  package var failures: [String] {
    processes.values.sorted { $0.name < $1.name }.flatMap { process -> [String] in
      var failures: [String] = []
      if let peak = process.samples.map(\.residentBytes).max(), peak > residentLimit {
        failures.append("\(process.name) had \(peak >> 20) MiB of resident memory")
      }
      let counts = Set(process.samples.map(\.descriptors))
      if counts.count > 1 {
        failures.append(
          "\(process.name) had \(counts.sorted().map(String.init).joined(separator: ", ")) open "
            + "descriptors")
      }
      if let growth = Self.growth(process), growth > Self.allowedGrowth {
        failures.append("\(process.name) grew by \(growth >> 20) MiB twice in a row")
      }
      return failures
    }
  }

  private static func growth(_ process: Process) -> Int? {
    let quarter = process.samples.count / 4
    guard quarter >= 4 else { return nil }
    let medians = (1...3).map { number in
      let samples = process.samples[(number * quarter)..<((number + 1) * quarter)]
      return samples.map(\.residentBytes).sorted()[samples.count / 2]
    }
    return min(medians[1] - medians[0], medians[2] - medians[1])
  }
}
