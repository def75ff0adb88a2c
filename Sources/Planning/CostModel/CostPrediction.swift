package import Plan

/// What a frame of a plan takes, as the cost model sees it.
package struct CostPrediction: Sendable, Hashable {
  /// What can be the narrowest place.
  package enum Resource: Sendable, Hashable {
    /// A device's processor, by its number.
    case processor(Int)
    /// A device's link, in the direction that carries more.
    case link(Int)
    /// The client's processor, and its link.
    case client, clientLink
    /// The broker's processor, and its link.
    case broker, brokerLink

    /// The device that has it to itself.
    var device: Int? {
      switch self {
      case .processor(let device), .link(let device): device
      case .client, .clientLink, .broker, .brokerLink: nil
      }
    }
  }

  /// One device, or the client.
  package struct Peer: Sendable, Hashable {
    /// Seconds of computing in a frame, by stage.
    package var stages: [Double]
    /// Seconds of its processor in a frame, with what messages take.
    package var processor = 0.0
    /// Bytes that its link carries in a frame.
    package var bytesSent = 0.0
    /// Bytes that its link carries in a frame.
    package var bytesReceived = 0.0
    /// Bytes of weights and working memory; 0 for the client.
    package var memoryBytes = 0

    /// Seconds of computing in a frame.
    package var computing: Double { stages.reduce(0, +) }
  }

  /// Seconds from a frame's submission to its answer, with nothing else under way.
  package var latency: Double
  /// Frames a second with enough of them under way.
  package var framesPerSecond: Double
  /// What is busy all the time then.
  package var narrowest: Resource
  /// By device.
  package var devices: [Peer]
  /// The client.
  package var client: Peer
  /// Bytes that the broker's link carries into it in a frame.
  package var brokerBytesReceived: Double
  /// Bytes that the broker's link carries out of it in a frame.
  package var brokerBytesSent: Double
  /// Gatherings that stand one behind the other in a frame, at the device with most, or the client.
  package var exchanges: Int

  /// Through the broker's link, both directions together.
  package var brokerBytes: Double { brokerBytesReceived + brokerBytesSent }
  /// Of the device with most.
  package var memoryBytes: Int { devices.map(\.memoryBytes).max() ?? 0 }
  /// Through the link of the device with most, both directions together.
  package var linkBytes: Double { devices.map { $0.bytesSent + $0.bytesReceived }.max() ?? 0 }
  /// Of the device that computes longest, in seconds.
  package var computing: Double { devices.map(\.computing).max() ?? 0 }

  /// The narrowest place in words.
  package func narrowestText(_ devices: [Plan.Device]) -> String {
    switch narrowest {
    case .processor(let device): "the processor of \(devices[device].name)"
    case .link(let device): "the link of \(devices[device].name)"
    case .client: "the client's processor"
    case .clientLink: "the client's link"
    case .broker: "the broker's processor"
    case .brokerLink: "the broker's link"
    }
  }
}

/// What a frame takes on one device that has the whole model and its client, with no messages at all.
package struct LonePrediction: Sendable, Hashable {
  /// The device's number.
  package var device: Int
  /// Seconds.
  package var latency: Double
  /// Bytes of weights and working memory.
  package var memoryBytes: Int
  /// Frames a second.
  package var framesPerSecond: Double { 1 / latency }
}
