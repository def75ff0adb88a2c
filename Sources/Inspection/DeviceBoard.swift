package import Foundations
package import WireProtocol

/// Who is there and what it costs, from what the devices of a deployment publish of themselves.
package struct DeviceBoard: Sendable {
  /// One device now.
  package struct Row: Sendable, Equatable {
    /// Its presence, heartbeat and memory.
    package var device: DeviceRoster.Row
    /// Frames a second, in its last metric.
    package var framesPerSecond: Double?
    /// Its power, in its last metric.
    package var watts: Double?
    /// Whether the power is computed and not measured.
    package var isEstimate: Bool
    /// Parts that it had to fill in since the board began, by reason.
    package var fills: [String: UInt64]
  }

  private struct Metrics: Sendable {
    var energy: EnergyMetric?
    var work = WorkProgress()
  }

  private var roster = DeviceRoster()
  private var metrics: [String: Metrics] = [:]

  /// Nothing is known yet.
  package init() {}

  /// Takes in a message of a device; others and unreadable ones change nothing.
  ///
  /// - Returns: whether it could be read.
  @discardableResult
  package mutating func receive(_ payload: [UInt8], on topic: Topic, at now: MonotonicTime) -> Bool
  {
    switch topic {
    case .metric(let device, MetricKind.frame.rawValue):
      guard let metric = try? FrameMetric(payload: payload, source: "frame") else { return false }
      change(device) { $0.work.receive(metric) }
    case .metric(let device, MetricKind.energy.rawValue):
      guard let metric = try? EnergyMetric(payload: payload, source: "energy") else { return false }
      change(device) { $0.energy = metric }
    default: return roster.receive(payload, on: topic, at: now)
    }
    return true
  }

  private mutating func change(_ name: String, _ body: (inout Metrics) -> Void) {
    guard metrics[name] != nil || metrics.count < DeviceRoster.maximumDevices else { return }
    body(&metrics[name, default: Metrics()])
  }

  /// The devices that have said that they are there, by name. One that is not there any more has
  /// neither rate nor power.
  package func rows(at now: MonotonicTime) -> [Row] {
    roster.rows(at: now).map { device in
      let known = metrics[device.device]
      let isThere = device.state != .lost && device.state != .unknown
      return Row(
        device: device, framesPerSecond: isThere ? known?.work.framesPerSecond : nil,
        watts: isThere ? known?.energy?.watts : nil,
        isEstimate: known?.energy?.isEstimate ?? false, fills: known?.work.fills ?? [:])
    }
  }
}

/// Rates and sums from one device's `FrameMetric` messages.
struct WorkProgress: Sendable {
  private var last: (epoch: UInt64, sequence: UInt64)?
  private(set) var framesPerSecond: Double?
  private(set) var fills: [String: UInt64] = [:]

  mutating func receive(_ metric: FrameMetric) {
    let next = (epoch: metric.epoch, sequence: metric.sequence)
    // QoS 1 may deliver a message again.
    if let last, next <= last { return }
    last = next
    framesPerSecond =
      metric.intervalMilliseconds > 0
      ? Double(metric.frames) / metric.intervalMilliseconds * 1e3 : nil
    for (reason, count) in metric.fills
    where fills[reason] != nil || fills.count < WorkProgress.maximumReasons {
      let (sum, overflow) = (fills[reason] ?? 0).addingReportingOverflow(count)
      fills[reason] = overflow ? .max : sum
    }
  }

  /// More than there are.
  private static let maximumReasons = 64
}
