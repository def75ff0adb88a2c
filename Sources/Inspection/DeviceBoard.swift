public import TensorCore
public import WireProtocol

/// Who is there and what it costs, from what the devices of a deployment publish of themselves.
public struct DeviceBoard: Sendable {
  /// One device now.
  public struct Row: Sendable, Equatable {
    /// Its presence, heartbeat and memory.
    public var device: DeviceRoster.Row
    /// Frames a second between its last two metrics.
    public var framesPerSecond: Double?
    /// Its power, in its last metric.
    public var watts: Double?
    /// Whether the power is computed and not measured.
    public var isEstimate: Bool
    /// Parts that it had to fill in since the board began, by reason.
    public var fills: [String: UInt64]
  }

  private struct Metrics: Sendable {
    var energy: EnergyMetric?
    var work = WorkProgress()
  }

  private var roster = DeviceRoster()
  private var metrics: [String: Metrics] = [:]

  /// Nothing is known yet.
  public init() {}

  /// Takes in a message of a device; others and unreadable ones change nothing.
  public mutating func receive(_ payload: [UInt8], on topic: Topic, at now: MonotonicTime) {
    switch topic {
    case .metric(let device, "frame"):
      guard let metric = try? FrameMetric(payload: payload, source: "frame") else { return }
      change(device) { $0.work.receive(metric, at: now) }
    case .metric(let device, "energy"):
      guard let metric = try? EnergyMetric(payload: payload, source: "energy") else { return }
      change(device) { $0.energy = metric }
    default: roster.receive(payload, on: topic, at: now)
    }
  }

  private mutating func change(_ name: String, _ body: (inout Metrics) -> Void) {
    guard metrics[name] != nil || metrics.count < DeviceRoster.maximumDevices else { return }
    body(&metrics[name, default: Metrics()])
  }

  /// The devices that have said that they are there, by name. One that is not there any more has
  /// neither rate nor power.
  public func rows(at now: MonotonicTime) -> [Row] {
    roster.rows(at: now).map { device in
      let known = metrics[device.device]
      let isThere = device.state != .lost && device.state != .unknown
      return Row(
        device: device, framesPerSecond: isThere ? known?.work.framesPerSecond : nil,
        watts: isThere ? known?.energy?.watts : nil,
        isEstimate: known?.energy?.source == "estimate", fills: known?.work.fills ?? [:])
    }
  }
}

/// Rates and sums from one device's `FrameMetric` messages, whose numbers are totals of its run.
struct WorkProgress: Sendable {
  private var last: (metric: FrameMetric, time: MonotonicTime)?
  private(set) var framesPerSecond: Double?
  private(set) var fills: [String: UInt64] = [:]

  mutating func receive(_ metric: FrameMetric, at now: MonotonicTime) {
    defer { last = (metric, now) }
    guard let last, last.metric.epoch == metric.epoch else {
      framesPerSecond = nil
      return
    }
    guard metric.sequence > last.metric.sequence, metric.frames >= last.metric.frames else {
      return
    }
    let seconds = Double(now.nanoseconds(since: last.time)) / 1e9
    framesPerSecond = seconds > 0 ? Double(metric.frames - last.metric.frames) / seconds : nil
    for (reason, count) in metric.fills {
      let before = last.metric.fills[reason] ?? 0
      if count > before { fills[reason, default: 0] += count - before }
    }
  }
}
