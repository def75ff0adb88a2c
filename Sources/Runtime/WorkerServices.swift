import Engine
import Foundations
import JSONCoding
import Logging
import MQTT
import Telemetry
import WireProtocol

/// What a worker answers besides computing: `health/check`, `device/describe`, `device/stats` and,
/// if it was allowed, `device/fault`. Called by the worker's own thread, between two stages.
final class WorkerServices {
  /// Larger requests are refused before they are copied.
  static let maximumCallBytes = 64 << 10

  /// A `device/stats` that has not ended.
  private struct Stream {
    var key: RPCCallKey
    var left: Int
    var interval: UInt64
    var due: MonotonicTime
  }

  /// Whether the worker takes no new frames any more.
  var isDraining = false
  /// What the device is.
  var description: DeviceDescription?
  private let name: String
  private let epoch: UInt64
  private let core: WorkerCore
  private let client: MQTTClient
  private let gate: CallGate
  private let logger: Logger
  private let faults: WorkerFaults
  private let configuration: WorkerConfiguration
  private var server: RPCServerState
  private var streams: [Stream] = []
  private let started = MonotonicTime.now()

  init(
    name: String, epoch: UInt64, root: TopicRoot, core: WorkerCore, client: MQTTClient,
    gate: CallGate, faults: WorkerFaults, configuration: WorkerConfiguration, logger: Logger
  ) {
    self.name = name
    self.epoch = epoch
    self.core = core
    self.client = client
    self.gate = gate
    self.faults = faults
    self.configuration = configuration
    self.logger = logger
    var limits = RPCServerState.Limits()
    limits.requestBytes = WorkerServices.maximumCallBytes
    server = RPCServerState(
      name: name, methods: Set(WorkerMethod.allCases.map(\.name)), root: root, limits: limits)
  }

  /// The methods that this device answers, for `desc`.
  var methods: [String] {
    let methods = WorkerMethod.allCases.filter { $0 != .fault || configuration.allowsFaults }
    return methods.map(\.name.description).sorted()
  }

  /// Takes a request.
  func receive(_ call: ReceivedCall, at now: MonotonicTime) {
    defer { gate.handled(call) }
    perform(
      server.receive(
        call.payload, on: call.topic, properties: call.properties, arrived: call.arrived,
        cut: call.cut, at: now))
  }

  /// Does what time demands.
  ///
  /// - Returns: when to call again.
  func work(at now: MonotonicTime) -> MonotonicTime {
    for (reason, count) in gate.takeRefused() {
      for _ in 0..<count { core.count(reason, at: now) }
    }
    perform(server.expire(at: now))
    for index in streams.indices.reversed() where streams[index].due <= now {
      advance(index, at: now)
    }
    return streams.reduce(server.nextDeadline) { min($0, $1.due) }
  }

  /// Ends what has not ended: the worker leaves.
  func close() {
    let now = MonotonicTime.now()
    for stream in streams {
      perform(server.finish(stream.key, RPCStatus(.unavailable, "the device leaves"), at: now))
    }
    streams = []
  }

  private func perform(_ actions: [RPCServerState.Action]) {
    for action in actions {
      switch action {
      case .execute(let call): execute(call)
      case .abandon(let key): streams.removeAll { $0.key == key }
      case .count(let reason): core.count(reason, at: .now())
      case .publish(let message):
        do {
          try client.publish(MQTTMessage(message))
        } catch {
          logger.warning("\(error)")
        }
      }
    }
  }

  // MARK: Methods

  private func execute(_ call: RPCCall) {
    let now = MonotonicTime.now()
    do throws(MartletError) {
      switch WorkerMethod(call.key.method) {
      case .check: try check(call, at: now)
      case .describe: finish(call, try description?.body(), at: now)
      case .stats: try stats(call, at: now)
      case .fault: try fault(call, at: now)
      case nil:
        throw MartletError(
          .unsupported, "this device has no such method",
          context: ["method": call.key.method.description])
      }
    } catch {
      perform(server.finish(call.key, RPCStatus(error), at: now))
    }
  }

  private func finish(_ call: RPCCall, _ body: JSONValue?, at now: MonotonicTime) {
    perform(server.finish(call.key, .ok, body: body, at: now))
  }

  private func check(_ call: RPCCall, at now: MonotonicTime) throws(MartletError) {
    let wish = try HealthRequest(body: call.request.body, method: call.key.method)
    if let service = wish.service, !service.isEmpty,
      !WorkerMethod.allCases.contains(where: { $0.name.service == service })
    {
      throw MartletError(
        .notFound, "there is no such service here", context: ["service": service])
    }
    let report = HealthReport(status: isDraining ? .notServing : .serving, epoch: epoch)
    finish(call, try report.body(), at: now)
  }

  private func stats(_ call: RPCCall, at now: MonotonicTime) throws(MartletError) {
    let wish = try StatsRequest(body: call.request.body, method: call.key.method)
    streams.append(
      Stream(
        key: call.key, left: wish.count ?? 1,
        interval: UInt64(wish.everyMilliseconds ?? 1000) * 1_000_000, due: now))
    advance(streams.count - 1, at: now)
  }

  /// Sends the next numbers of a stream; the last ones end it.
  private func advance(_ index: Int, at now: MonotonicTime) {
    streams[index].left -= 1
    streams[index].due = now.adding(nanoseconds: streams[index].interval)
    let stream = streams[index]
    let body = try? currentStats(at: now).body()
    guard stream.left > 0, let body else {
      streams.remove(at: index)
      let status = body == nil ? RPCStatus(.internalError, "no numbers") : .ok
      return perform(server.finish(stream.key, status, body: body, at: now))
    }
    perform(server.send(body, of: stream.key, at: now))
  }

  private func currentStats(at now: MonotonicTime) -> DeviceStats {
    var stats = DeviceStats(device: name, epoch: epoch)
    stats.uptimeMilliseconds = now.nanoseconds(since: started) / 1_000_000
    stats.cpuMilliseconds = UInt64(max(0, ProcessTime.cpuSeconds() * 1000))
    stats.residentBytes = residentBytes()
    stats.queue = core.queueLength
    stats.framesFinished = core.counters.framesFinished
    stats.framesSkipped = core.counters.framesSkipped
    stats.framesDropped = core.counters.framesDropped
    stats.lastFrame = core.counters.lastFrame
    let connection = client.statistics
    stats.receivedMessages = UInt64(connection.messagesIn)
    stats.receivedBytes = UInt64(connection.bytesIn)
    stats.sentMessages = UInt64(connection.messagesOut)
    stats.sentBytes = UInt64(connection.bytesOut)
    stats.failedMessages = UInt64(connection.rejectedOut + connection.droppedOut)
    stats.connections = UInt64(connection.connections)
    stats.drops = Dictionary(
      uniqueKeysWithValues: core.drops.totals.map { ($0.key.rawValue, $0.value) })
    stats.peers = Dictionary(
      core.liveness.devices.map { ($0, core.liveness.state(of: $0, at: now)) },
      uniquingKeysWith: { first, _ in first })
    return stats
  }

  private func fault(_ call: RPCCall, at now: MonotonicTime) throws(MartletError) {
    guard configuration.allowsFaults else {
      throw MartletError(
        .permissionDenied, "this device injects no faults",
        hint: "start its worker with --allow-faults")
    }
    var request = try FaultRequest(body: call.request.body, method: call.key.method)
    let seed = request.seed ?? UInt64.random(in: 0...Epoch.maximum)
    request.seed = seed
    let text = String(decoding: try request.payload(), as: UTF8.self)
    logger.warning(
      "fault", metadata: ["request": "\(text)", "client": "\(call.key.client)"])
    finish(call, try request.body(), at: now)
    // The caller hears of it before it happens.
    if request.kind == .disconnect || request.kind == .exit {
      try? client.flush(timeout: .seconds(1))
    }
    faults.begin(request, seed: seed, at: now)
  }
}
