package import ModelGraph

/// How fast a device computes and handles messages, as `martlet bench device` measures it.
///
/// The time of a kernel is its operations over one rate plus its bytes over another, both fitted to
/// kernels of that kind of several shapes: simple enough to be explained, and enough to tell that half
/// of a layer takes more than half of its time.
package struct DeviceProfile: Sendable, Hashable {
  /// What the rates are true for.
  package struct Machine: Sendable, Hashable, Codable {
    /// The processor's name, in words.
    package var processor: String
    /// The kernels with which it multiplies, in words: `OpenBLAS 0.3.21 SkylakeX`.
    package var kernels: String

    /// A machine.
    package init(processor: String, kernels: String) {
      self.processor = processor
      self.kernels = kernels
    }
  }

  /// How fast kernels of one kind run.
  package struct Rate: Sendable, Hashable, Codable {
    /// The kind.
    package var kernel: KernelKind
    /// Operations a second, as `KernelWork` counts them; nil where they take no time of their own.
    package var operations: Double?
    /// Bytes a second, read and written together; nil where they take no time of their own.
    package var bytes: Double?

    /// A pair of rates.
    package init(_ kernel: KernelKind, operations: Double?, bytes: Double?) {
      self.kernel = kernel
      self.operations = operations
      self.bytes = bytes
    }

    private enum CodingKeys: String, CodingKey {
      case kernel
      case operations = "operations_per_s"
      case bytes = "bytes_per_s"
    }
  }

  /// Processor time that one message takes at a program that handles it, in seconds.
  package struct Handling: Sendable, Hashable, Codable {
    /// Of each message, however short.
    package var message: Double
    /// Of each byte.
    package var byte: Double

    /// The cost of messages.
    package init(message: Double, byte: Double) {
      self.message = message
      self.byte = byte
    }

    /// Of some messages with so many bytes together.
    package func seconds(messages: Int, bytes: Double) -> Double {
      Double(messages) * message + bytes * byte
    }

    private enum CodingKeys: String, CodingKey {
      case message = "s_per_message"
      case byte = "s_per_byte"
    }
  }

  /// What messages take, without any network.
  package struct Messages: Sendable, Hashable, Codable {
    /// At whoever sends or receives one.
    package var endpoint: Handling
    /// At a broker on this device: for each message that comes or goes.
    package var broker: Handling
    /// What passes besides between sending and receiving, while threads wake up; in seconds.
    package var delay: Double

    /// The cost of messages.
    package init(endpoint: Handling, broker: Handling, delay: Double) {
      self.endpoint = endpoint
      self.broker = broker
      self.delay = delay
    }

    private enum CodingKeys: String, CodingKey {
      case endpoint, broker
      case delay = "delay_s"
    }

    /// What is taken where nothing was measured: mosquitto and this package's client on a small arm64
    /// board, about three times what they take on a server's core.
    package static let usual = Messages(
      endpoint: Handling(message: 60e-6, byte: 1.2e-9),
      broker: Handling(message: 30e-6, byte: 0.8e-9), delay: 60e-6)
  }

  /// What it was measured on.
  package var machine: Machine
  /// Threads that computed.
  package var threads: Int
  /// The part of a core that each of them was given while it computed, above 0 and at most 1: less
  /// than 1 for a process with a quota. Rates are those of a whole core.
  package var share: Double
  /// Processor time of a kernel besides what the rates say, in seconds.
  package var kernelOverhead: Double
  /// One of each kind.
  package var rates: [Rate]
  /// The cost of messages.
  package var messages: Messages
  /// Whether the cost of messages was measured, or `Messages.usual` stands in.
  package var hasMeasuredMessages: Bool

  /// A profile.
  package init(
    machine: Machine, threads: Int, share: Double, kernelOverhead: Double, rates: [Rate],
    messages: Messages?
  ) {
    self.machine = machine
    self.threads = threads
    self.share = share
    self.kernelOverhead = kernelOverhead
    self.rates = rates
    self.messages = messages ?? .usual
    hasMeasuredMessages = messages != nil
  }

  /// The seconds that work takes on this device, its share of a core considered.
  package func seconds(_ work: [KernelWork]) -> Double {
    guard !work.isEmpty else { return 0 }
    let busy = work.reduce(kernelOverhead) { sum, work in
      guard let rate = rates.first(where: { $0.kernel == work.kind }) else { return sum }
      return sum + (rate.operations.map { Double(work.operations) / $0 } ?? 0)
        + (rate.bytes.map { Double(work.bytes) / $0 } ?? 0)
    }
    return busy / share
  }
}
