package import Foundations
package import WireProtocol

/// Where the time of one stage of one frame went.
package struct StageTime: Sendable, Equatable {
  /// The exchange at its end, by which it is named; nil for one that neither sends nor gathers.
  package var exchange: Int?
  package var compute: Duration
  package var send: Duration
  package var wait: Duration

  package init(
    exchange: Int?, compute: Duration = .zero, send: Duration = .zero, wait: Duration = .zero
  ) {
    self.exchange = exchange
    self.compute = compute
    self.send = send
    self.wait = wait
  }
}

/// Adds up a device's work between two metrics: times and bytes in all, and these and fills by stage.
package struct WorkCounters: Sendable {
  private let layers: [String]
  private let numbers: [String: Int]
  private var stages: [Int: StageMetric] = [:]
  private var degradedFrames: UInt64 = 0
  private var compute = Duration.zero
  private var send = Duration.zero
  private var wait = Duration.zero
  private var receive = Duration.zero
  private var receivedBytes: UInt64 = 0

  /// - Parameter exchanges: the topic id of each exchange of the plan.
  package init(exchanges: [String]) {
    layers = exchanges
    numbers = Dictionary(uniqueKeysWithValues: exchanges.enumerated().map { ($1, $0) })
  }

  /// Takes in a frame that was computed to the end.
  ///
  /// - Parameters:
  ///   - report: everything that is known to have been missing from it.
  ///   - receiver: this device; what others missed is theirs to count.
  package mutating func finished(
    _ times: [StageTime], fills report: FillReport, receiver: Int
  ) {
    let isDegraded = !report.fills.isEmpty
    if isDegraded { degradedFrames += 1 }
    for time in times {
      compute += time.compute
      send += time.send
      wait += time.wait
      guard let exchange = time.exchange else { continue }
      change(exchange) { stage in
        if isDegraded {
          stage.degraded = WorkCounters.adding(time, to: stage.degraded)
        } else {
          stage.whole = WorkCounters.adding(time, to: stage.whole)
        }
      }
    }
    for fill in report.fills where fill.receiver == receiver {
      change(fill.exchange) { $0.fills[fill.reason.rawValue, default: 0] += 1 }
    }
  }

  /// Takes in a message that was worked on: a part of a layer, or an input without one.
  package mutating func received(
    _ bytes: Int, of layer: String?, since start: MonotonicTime, until end: MonotonicTime
  ) {
    let time = end.duration(since: start)
    receive += time
    receivedBytes += UInt64(bytes)
    guard let number = layer.flatMap({ numbers[$0] }) else { return }
    change(number) { stage in
      stage.receiveMilliseconds += time.inMilliseconds
      stage.receivedBytes += UInt64(bytes)
    }
  }

  /// Writes what has been added up into a metric, with what was sent by exchange, and begins anew.
  package mutating func take(sent: [Int: UInt64], into metric: inout FrameMetric) {
    for (exchange, bytes) in sent { change(exchange) { $0.sentBytes += bytes } }
    metric.framesDegraded = degradedFrames
    metric.computeMilliseconds = compute.inMilliseconds
    metric.sendMilliseconds = send.inMilliseconds
    metric.waitMilliseconds = wait.inMilliseconds
    metric.receiveMilliseconds = receive.inMilliseconds
    metric.sentBytes = sent.values.reduce(0, +)
    metric.receivedBytes = receivedBytes
    metric.stages = stages.sorted { $0.key < $1.key }.map(\.value)
    self = WorkCounters(layers: layers, numbers: numbers)
  }

  private init(layers: [String], numbers: [String: Int]) {
    self.layers = layers
    self.numbers = numbers
  }

  private mutating func change(_ exchange: Int, _ body: (inout StageMetric) -> Void) {
    body(&stages[exchange, default: StageMetric(layer: layers[exchange])])
  }

  private static func adding(_ time: StageTime, to work: StageMetric.Work?) -> StageMetric.Work {
    var work = work ?? StageMetric.Work()
    work.frames += 1
    work.computeMilliseconds += time.compute.inMilliseconds
    work.sendMilliseconds += time.send.inMilliseconds
    work.waitMilliseconds += time.wait.inMilliseconds
    return work
  }
}
