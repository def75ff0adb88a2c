import Foundations
package import WireProtocol

/// Reads a deployment's messages one by one and keeps sums, so that memory does not grow with their
/// number: a report of a million messages takes as much as one of a thousand.
///
/// Nothing that is published is trusted: what cannot be read is counted, what comes twice is used
/// once, runs of a device or a client are kept apart by their epochs, and how many devices, runs and
/// phases are kept apart is bounded.
package struct ReportBuilder: Sendable {
  /// Beyond this many devices, messages are counted and not used.
  package static let maximumDevices = 1024
  /// Beyond this many runs of clients, results are counted and not used.
  package static let maximumRuns = 512

  private struct RunKey: Hashable {
    var client: String
    var epoch: UInt64
  }

  /// The phase that answers have been coming from, without another between them.
  private struct Current {
    var run: Int
    var phase: Int
    var start: UInt64
  }

  /// Answers so far.
  package private(set) var answers = 0
  private let root: TopicRoot
  private var devices: [String: DeviceLog] = [:]
  private var runs: [RunTotals] = []
  private var runNumbers: [RunKey: Int] = [:]
  private var current: Current?
  private var input = FlightReport.Input(
    messages: 0, bytes: 0, tensors: 0, foreign: 0, unreadable: [:], beyondLimits: 0, damage: [])
  /// What was wrong with the first message of each kind that could not be read.
  private var firstFlaws: [String: String] = [:]
  private var repeated = 0
  private var start: UInt64 = .max
  private var end: UInt64 = 0

  /// A report on one deployment, of which nothing is known yet.
  package init(root: TopicRoot) { self.root = root }

  /// Takes a message.
  ///
  /// - Parameter time: when it was received, in nanoseconds since 1970.
  package mutating func add(topic: String, payload: [UInt8], time: UInt64) {
    input.messages += 1
    input.bytes += payload.count
    guard let topic = root.parse(topic) else {
      input.foreign += 1
      return
    }
    start = min(start, time)
    end = max(end, time)
    if PermissionCheck.isOne(payload) { return }
    switch topic {
    case .activation, .input: input.tensors += 1
    case .presence(let device):
      // An empty retained message only clears the topic.
      guard !payload.isEmpty else { return }
      guard let presence = read(Presence.self, payload, "presence") else { return }
      change(device) { $0.presence.add(presence, at: time) }
    case .heartbeat(let device):
      guard let heartbeat = read(Heartbeat.self, payload, "heartbeat") else { return }
      change(device) { $0.presence.add(heartbeat, at: time) }
    case .description(let device):
      guard !payload.isEmpty else { return }
      guard let description = read(DeviceDescription.self, payload, "desc") else { return }
      change(device) { $0.description = description }
    case .metric(let device, let kind):
      switch MetricKind(rawValue: kind) {
      case .frame: metric(FrameMetric.self, payload, device, time) { $0.add($1) }
      case .energy: metric(EnergyMetric.self, payload, device, time) { $0.energy.add($1) }
      case .memory: metric(MemoryMetric.self, payload, device, time) { $0.memory.add($1) }
      case .system: metric(SystemMetric.self, payload, device, time) { $0.system.add($1) }
      case nil: input.foreign += 1
      }
    case .result(let client):
      guard let result = read(FrameResult.self, payload, "result") else { return }
      add(result, of: client, at: time)
    case .plan, .call, .reply: break
    }
  }

  /// Says that a recording is damaged, in words.
  package mutating func note(damage: String) {
    if input.damage.count < 64 { input.damage.append(damage) }
  }

  private mutating func read<Message: WireMessage>(
    _ type: Message.Type, _ payload: [UInt8], _ kind: String
  ) -> Message? {
    do {
      return try Message(payload: payload, source: kind)
    } catch {
      input.unreadable[kind, default: 0] += 1
      if firstFlaws[kind] == nil { firstFlaws[kind] = ReportBuilder.flaw(error) }
      return nil
    }
  }

  /// What is wrong with a message, in a few words: the field and its value where it has one.
  private static func flaw(_ error: MartletError) -> String {
    func value(_ key: String) -> String? { error.context.first { $0.key == key }?.value }
    guard let field = value("field") else { return error.message }
    return "\(field) \(value("value") ?? "")"
  }

  private mutating func change(_ device: String, _ body: (inout DeviceLog) -> Void) {
    guard devices[device] != nil || devices.count < ReportBuilder.maximumDevices else {
      input.beyondLimits += 1
      return
    }
    body(&devices[device, default: DeviceLog()])
  }

  private mutating func metric<Metric: MetricMessage>(
    _ type: Metric.Type, _ payload: [UInt8], _ device: String, _ time: UInt64,
    _ add: (inout DeviceTotals, Metric) -> Void
  ) {
    guard let metric = read(type, payload, "metric/\(Metric.kind.rawValue)") else { return }
    var outcome = DeviceLog.Outcome.beyondLimits
    change(device) { log in outcome = log.add(metric) { add(&$0, metric) } }
    switch outcome {
    case .used: break
    case .repeated:
      repeated += 1
      return
    case .beyondLimits:
      input.beyondLimits += 1
      return
    }
    // A metric belongs to a phase if its whole interval does.
    let interval = UInt64(min(metric.intervalMilliseconds, 1e9) * 1e6)
    guard let current, time >= interval, time - interval >= current.start else { return }
    runs[current.run].change(device, in: current.phase) { add(&$0, metric) }
  }

  private mutating func add(_ result: FrameResult, of client: String, at time: UInt64) {
    let key = RunKey(client: client, epoch: result.epoch)
    if runNumbers[key] == nil {
      guard runs.count < ReportBuilder.maximumRuns else {
        input.beyondLimits += 1
        return
      }
      runNumbers[key] = runs.count
      runs.append(RunTotals(client: client, epoch: result.epoch, first: result, at: time))
    }
    guard let number = runNumbers[key] else { return }
    switch runs[number].add(result, at: time) {
    case .used(let phase):
      answers += 1
      if current?.run != number || current?.phase != phase {
        let begin = runs[number].isFirst ? runs[number].start : time
        current = Current(run: number, phase: phase, start: begin)
      }
    case .repeated: repeated += 1
    case .beyondLimits: input.beyondLimits += 1
    }
  }

  /// The report on what has come so far.
  package var report: FlightReport {
    let origin = start == .max ? 0 : start
    let list = devices.filter(\.value.isWorker).sorted { $0.key < $1.key }.map {
      $1.figures(name: $0, start: origin, end: end)
    }
    let runs = runs.map { $0.figures(origin: origin) }
    let description = devices.sorted { $0.key < $1.key }.lazy.compactMap(\.value.description).first
    return FlightReport(
      format: "martlet-report", version: FlightReport.currentVersion, deployment: root.deployment,
      startUnixMilliseconds: origin / 1_000_000, seconds: Double(end - min(origin, end)) / 1e9,
      model: description?.model, method: description?.method,
      methodName: description?.methodName, plan: description?.plan,
      maximum: FlightReport.Maximum(devices: list, runs: runs), runs: runs, devices: list,
      input: input, notes: notes(list, runs))
  }

  private func notes(_ devices: [FlightReport.Device], _ runs: [FlightReport.Run]) -> [String] {
    var notes = input.damage
    if runs.isEmpty { notes.append("no answers: nothing can be said about accuracy and speed") }
    if devices.contains(where: { $0.figures.energy?.isEstimated == true }) {
      notes.append("energy (~) is an estimate from CPU time, not a measurement")
    }
    let missing =
      runs.reduce(0) { $0 + $1.sequence.missing }
      + devices.flatMap(\.epochs).flatMap(\.sequences.values).reduce(0) { $0 + $1.missing }
    if missing > 0 { notes.append("\(missing) messages are missing, going by their numbers") }
    if repeated > 0 { notes.append("\(repeated) messages came twice and were used once") }
    for (kind, count) in input.unreadable.sorted(by: { $0.key < $1.key }) {
      let flaw = firstFlaws[kind].map { "; the first: \($0)" } ?? ""
      notes.append("\(count) messages of \(kind) could not be used\(flaw)")
    }
    if input.beyondLimits > 0 {
      notes.append("\(input.beyondLimits) messages are left out: too many devices, runs or phases")
    }
    let failed = devices.reduce(into: UInt64(0)) {
      $0.saturate(adding: $1.figures.energy?.failedReadings ?? 0)
    }
    if failed > 0 { notes.append("\(failed) sensor readings failed: energy is a lower bound") }
    return notes
  }
}

extension FlightReport.Maximum {
  init(devices: [FlightReport.Device], runs: [FlightReport.Run]) {
    joulesPerImage = devices.compactMap(\.figures.energy?.joulesPerImage).max()
    isEnergyEstimated = devices.contains { $0.figures.energy?.isEstimated == true }
    let seconds = runs.reduce(0) { $0 + $1.total.seconds }
    framesPerSecond =
      seconds > 0 ? Double(runs.reduce(0) { $0 + $1.total.frames }) / seconds : nil
    peakMemoryBytes = devices.compactMap(\.figures.memory?.peak).max()
    weightBytes = devices.compactMap(\.figures.memory?.weights).max()
  }
}
