import Engine
import Foundations
import Plan
import Runtime
import Tables

/// The demo's answers by phase.
struct DemoStatistics {
  /// What the devices are like while a frame is under way.
  enum Phase: String, CaseIterable, Encodable {
    case allAlive = "all alive"
    case oneLost = "one lost"
    case rejoined
  }

  private struct Entry {
    var statistics: RunStatistics
    var seconds = 0.0
  }

  private let devices: [String]
  private let expected: Int
  private var phase = Phase.allAlive
  private var phases: [Int: Phase] = [:]
  private var entries: [Phase: Entry] = [:]
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant?
  private var answered = 0
  private var labelled = 0
  private var correct = 0
  private var recent: [ContinuousClock.Instant] = []

  init(devices: [String], expected: Int) {
    self.devices = devices
    self.expected = expected
  }

  /// Frames sent from now on belong to this phase.
  mutating func begin(_ phase: Phase) { self.phase = phase }

  /// A frame is sent in the current phase.
  mutating func submitted(_ index: Int) {
    phases[index] = phase
    if last == nil { last = clock.now }
  }

  /// A frame is answered.
  mutating func add(_ index: Int, _ answer: Answer, truth: Int?, prediction: Prediction) {
    let now = clock.now
    let phase = phases.removeValue(forKey: index) ?? self.phase
    var entry = entries[phase] ?? Entry(statistics: RunStatistics(devices: devices))
    entry.statistics.add(answer, truth: truth, prediction: prediction)
    entry.seconds += last.map { (now - $0).inMilliseconds / 1e3 } ?? 0
    entries[phase] = entry
    last = now
    answered += 1
    if let truth, let isRight = prediction.isRight(truth) {
      labelled += 1
      if isRight { correct += 1 }
    }
    recent.append(now)
    if recent.count > 100 { recent.removeFirst() }
  }

  /// Frames, speed and accuracy so far.
  var progressLine: String {
    var line = "frame \(answered)/\(expected)"
    if let first = recent.first, let last = recent.last, recent.count > 1 {
      let seconds = (last - first).inMilliseconds / 1e3
      line += "  \((Double(recent.count - 1) / max(seconds, 1e-6)).formatted(0)) frames/s"
    }
    if labelled > 0 {
      line += "  top-1 \((Double(correct) / Double(labelled) * 100).formatted(1)) %"
    }
    return line
  }

  func report(
    plan: PlanFolder, metrics: [String: MetricCollector.Device], kept: DemoReport.Kept?
  ) -> DemoReport {
    DemoReport(
      frames: expected, answered: answered, plan: plan.id, method: plan.plan.method,
      phases: Phase.allCases.compactMap { phase in
        entries[phase].map {
          DemoReport.PhaseRow(
            phase: phase.rawValue, summary: $0.statistics.summary(seconds: $0.seconds))
        }
      },
      devices: devices.map { name in
        let device = metrics[name] ?? MetricCollector.Device()
        return DemoReport.DeviceRow(
          device: name, energyJoules: device.joules,
          joulesPerFrame: device.frames > 0 ? device.joules / Double(device.frames) : nil,
          energySource: device.energySource, peakResidentBytes: device.peakResidentBytes,
          weightBytes: device.weightBytes)
      }, kept: kept)
  }
}

/// What the demo comes to.
struct DemoReport: Encodable {
  struct PhaseRow: Encodable {
    var phase: String
    var summary: RunSummary
  }

  struct DeviceRow: Encodable {
    var device: String
    var energyJoules: Double
    var joulesPerFrame: Double?
    var energySource: String
    var peakResidentBytes: Int
    var weightBytes: Int

    private enum CodingKeys: String, CodingKey {
      case device
      case energyJoules = "energy_joules"
      case joulesPerFrame = "joules_per_frame"
      case energySource = "energy_source"
      case peakResidentBytes = "peak_resident_bytes"
      case weightBytes = "weight_bytes"
    }
  }

  var frames: Int
  var answered: Int
  var plan: String
  var method: String
  var phases: [PhaseRow]
  var devices: [DeviceRow]
  /// With `--keep`.
  var kept: Kept?

  /// Where everything is that goes on running.
  struct Kept: Encodable {
    /// The broker's Unix socket, as an address.
    var socket: String
    /// The broker's port on 127.0.0.1.
    var port: Int
    /// The plan's folder.
    var plan: String
    /// What was streamed.
    var images: [String]
    /// How this program is called: its path, and what leads to these commands.
    var program: String
  }

  /// For people: a table by phase, a table by device, and where to look.
  var text: String {
    var byPhase = TextTable(
      "phase", "frames", "top-1 %", "frames/s", "p50 ms", "p99 ms", "degraded", "parts filled")
    for row in phases {
      let summary = row.summary
      byPhase.add(
        row.phase, "\(summary.frames)", summary.accuracy.map { ($0 * 100).formatted(2) } ?? "-",
        summary.framesPerSecond.formatted(1), summary.p50.formatted(2), summary.p99.formatted(2),
        "\(summary.degraded)", "\(summary.filledParts)")
    }
    var byDevice = TextTable("device", "energy J", "mJ/frame", "source", "peak memory", "weights")
    for row in devices {
      byDevice.add(
        row.device, row.energyJoules.formatted(2),
        row.joulesPerFrame.map { ($0 * 1e3).formatted(2) } ?? "-", row.energySource,
        row.peakResidentBytes.asBytes, row.weightBytes.asBytes)
    }
    var text = "\(answered) of \(frames) frames answered\n\n\(byPhase.text)\n\n\(byDevice.text)\n\n"
    if let kept {
      text += """
        Look at the topics, in another terminal:
          mosquitto_sub -p \(kept.port) -v -t 'martlet/1/default/presence/+'
          mosquitto_sub -p \(kept.port) -v -t 'martlet/1/default/heartbeat/+'
          mosquitto_sub -p \(kept.port) -v -t 'martlet/1/default/metric/#'
          mosquitto_sub -p \(kept.port) -v -t 'martlet/1/default/result/+'
          mosquitto_sub -p \(kept.port) -C 1 -N -t 'martlet/1/default/act/+/d0' > part.safetensors
          \(kept.program) inspect --broker \(kept.socket)
        and send more frames for the last ones to show:
          \(kept.program) run --broker \(kept.socket) --plan \(kept.plan) \\
            --images \(kept.images.joined(separator: " "))
        """
    } else {
      text += "martlet demo --keep leaves broker and workers running, to look at the topics."
    }
    return text
  }
}
