package import Plan
import Tensors
package import WireProtocol

/// What a frame moves over each device's link, against what was seen to move: why answers do not come in
/// time although everybody is there.
package struct LinkReport: Sendable {
  /// One device's bytes.
  package struct Load: Sendable, Equatable {
    /// The device's name.
    package var device: String
    /// Bytes that come to it for one frame.
    package var received: Int
    /// Bytes that it sends for one frame.
    package var sent: Int
  }

  /// By device.
  package let loads: [Load]
  /// By device: the most bytes a second that it said came to it.
  private var rates: [String: Double] = [:]

  /// What a plan's frames move while everybody is there.
  ///
  /// - Parameter elementBytes: of one element on the wire.
  package init(_ plan: Plan, elementBytes: Int) {
    loads = plan.devices.indices.map { number in
      let cost = plan.cost(of: number)
      return Load(
        device: plan.devices[number].name,
        received: cost.bytesReceived / ElementType.float32.size * elementBytes,
        sent: cost.bytesSent / ElementType.float32.size * elementBytes)
    }
  }

  /// A device said what it did in the last second or so.
  package mutating func add(_ metric: FrameMetric, of device: String) {
    guard metric.intervalMilliseconds > 0, loads.contains(where: { $0.device == device }) else {
      return
    }
    let rate = Double(metric.receivedBytes) / metric.intervalMilliseconds * 1e3
    rates[device] = max(rates[device] ?? 0, rate)
  }

  /// Whether anybody said that anything of a frame has come.
  package var hasSeenTraffic: Bool { rates.values.contains { $0 > 0 } }

  /// A sentence: the bytes of a frame at the device that would need longest, the rate seen there, and
  /// what that comes to.
  package var text: String {
    // By time where a rate is known, by bytes elsewhere.
    func time(_ load: Load) -> Double {
      rates[load.device].map { Double(load.received) / max($0, 1) } ?? 0
    }
    guard
      let worst = loads.max(by: { (time($0), $0.received) < (time($1), $1.received) })
    else { return "" }
    var text =
      "a frame brings \(worst.device) \(Self.bytes(Double(worst.received))) and takes "
      + "\(Self.bytes(Double(worst.sent))) from it"
    if let rate = rates[worst.device], rate > 0 {
      text += """
        ; at most \(Self.bytes(rate))/s were seen to come there, so that a frame takes \
        \(Self.seconds(time(worst))) at least
        """
    } else {
      text += ", \(Self.seconds(Double(worst.received) / 1.25e6)) over a link of 10 Mbit/s"
    }
    return text
  }

  static func bytes(_ count: Double) -> String {
    switch count {
    case ..<1e3: "\(Int(count)) B"
    case ..<1e6: "\((count / 1e2).rounded() / 10) kB"
    default: "\((count / 1e5).rounded() / 10) MB"
    }
  }

  static func seconds(_ value: Double) -> String {
    value < 1 ? "\(Int((value * 1e3).rounded(.up))) ms" : "\((value * 10).rounded() / 10) s"
  }
}
