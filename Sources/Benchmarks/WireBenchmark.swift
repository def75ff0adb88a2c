package import Foundations
import Glibc
import Logging
package import MQTT

/// Times messages from one publisher to several subscribers through a broker.
///
/// The same protocol as `tools/bench/wire.c`, message for message: latency sends the next message
/// when every subscriber has the last; throughput keeps up to 8 MiB (2 to 256 messages) under way.
package enum WireBenchmark {
  /// What is timed.
  package enum Mode: String, Sendable, CaseIterable {
    /// One message at a time; the one-way time counts.
    case latency
    /// A stream; the rate counts.
    case throughput
  }

  /// One measurement.
  package struct Result: Sendable, Equatable {
    /// The median one-way time in microseconds, from before `publish` to the handler.
    package var medianMicroseconds: Double
    /// The 99th percentile of the one-way time in microseconds.
    package var tailMicroseconds: Double
    /// Megabytes (10^6 bytes) published per second, until every subscriber had them.
    package var megabytesPerSecond: Double
    /// Processor time of this process for one message, in microseconds.
    package var cpuMicroseconds: Double

    /// The four numbers on one line, as `tools/bench/wire.c` prints them.
    package var line: String {
      "\(medianMicroseconds) \(tailMicroseconds) \(megabytesPerSecond) \(cpuMicroseconds)"
    }

    init(
      medianMicroseconds: Double, tailMicroseconds: Double, megabytesPerSecond: Double,
      cpuMicroseconds: Double
    ) {
      self.medianMicroseconds = medianMicroseconds
      self.tailMicroseconds = tailMicroseconds
      self.megabytesPerSecond = megabytesPerSecond
      self.cpuMicroseconds = cpuMicroseconds
    }

    /// Reads such a line; nil when it is none.
    init?(line: String) {
      let numbers = line.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
      guard numbers.count == 4 else { return nil }
      self.init(
        medianMicroseconds: numbers[0], tailMicroseconds: numbers[1],
        megabytesPerSecond: numbers[2], cpuMicroseconds: numbers[3])
    }
  }

  static let headerBytes = 16
  static let warmUp = 20

  /// Measures one size.
  ///
  /// - Parameters:
  ///   - chunkBytes: the most bytes of one MQTT message; 0 sends each in one piece.
  ///   - count: messages measured, after 20 that are not.
  /// - Throws: what the client throws; `timedOut` when a message does not arrive in 30 seconds.
  package static func run(
    address: BrokerAddress, mode: Mode, bytes: Int, chunkBytes: Int = 0, count: Int,
    subscribers: Int = 3
  ) throws(MartletError) -> Result {
    guard bytes >= headerBytes, count > 0, subscribers > 0 else {
      throw MartletError(.invalidArgument, "A measurement needs 16 bytes and one of everything")
    }
    let chunk = chunkBytes < headerBytes || chunkBytes > bytes ? bytes : chunkBytes
    let board = ScoreBoard(subscribers: subscribers, capacity: (count + warmUp) * subscribers)
    let logger = Logger(label: "bench")
    var receivers: [MQTTClient] = []
    defer { for client in receivers { client.close() } }
    for index in 0..<subscribers {
      let client = try MQTTClient(
        MQTTConfiguration(address: address, clientIDPrefix: "bench"), logger: logger
      ) { message in
        board.record(message.payload, subscriber: index)
      }
      receivers.append(client)
      try client.subscribe("bench/wire")
      try client.connect(timeout: .seconds(10))
    }
    let publisher = try MQTTClient(
      MQTTConfiguration(address: address, clientIDPrefix: "bench"), logger: logger)
    defer { publisher.close() }
    try publisher.connect(timeout: .seconds(10))

    let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 16)
    payload.initializeMemory(as: UInt8.self, repeating: 0)
    defer { payload.deallocate() }
    let window = mode == .latency ? 1 : min(256, max(2, 8_388_608 / bytes))
    var began = MonotonicTime.now()
    var cpu = cpuSeconds()
    for sent in 0..<count + warmUp {
      try board.wait(until: sent + 1 - (sent < warmUp ? 1 : window))
      if sent == warmUp {
        try board.wait(until: warmUp)
        board.clearSamples()
        began = .now()
        cpu = cpuSeconds()
      }
      let time = MonotonicTime.now().nanoseconds
      var offset = 0
      while offset < bytes {
        let size = min(chunk, bytes - offset)
        offset += size
        payload.storeBytes(of: time, as: UInt64.self)
        payload.storeBytes(of: offset == bytes ? 1 : 0, toByteOffset: 8, as: UInt64.self)
        try publisher.publish(
          topic: "bench/wire", payload: UnsafeRawBufferPointer(rebasing: payload[..<size]))
      }
    }
    try board.wait(until: count + warmUp)
    let seconds = Double(MonotonicTime.now().nanoseconds - began.nanoseconds) / 1e9
    cpu = cpuSeconds() - cpu
    let samples = board.sortedSamples()
    return Result(
      medianMicroseconds: samples[samples.count / 2],
      tailMicroseconds: samples[samples.count * 99 / 100],
      megabytesPerSecond: Double(bytes) * Double(count) / seconds / 1e6,
      cpuMicroseconds: cpu / Double(count) * 1e6)
  }
}

/// Processor time of this process so far, finer than `/proc` has it.
private func cpuSeconds() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return [usage.ru_utime, usage.ru_stime].reduce(0) {
    $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
  }
}

/// What the subscribers' threads report to the publisher's.
///
/// `@unchecked Sendable`: every variable is only touched with `lock` held.
private final class ScoreBoard: @unchecked Sendable {
  private let lock = NativeLock()
  private var received: [Int]
  private var samples: [Double] = []

  init(subscribers: Int, capacity: Int) {
    received = Array(repeating: 0, count: subscribers)
    samples.reserveCapacity(capacity)
  }

  func record(_ payload: UnsafeRawBufferPointer, subscriber: Int) {
    guard payload.count >= WireBenchmark.headerBytes,
      payload.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == 1
    else { return }
    let sent = payload.loadUnaligned(as: UInt64.self)
    let microseconds = Double(MonotonicTime.now().nanoseconds - sent) / 1000
    lock.withLock {
      samples.append(microseconds)
      received[subscriber] += 1
    }
    lock.broadcast()
  }

  /// Waits until every subscriber has `count` messages.
  func wait(until count: Int) throws(MartletError) {
    let deadline = MonotonicTime.now() + .seconds(30)
    try lock.withLock { () throws(MartletError) in
      while received.contains(where: { $0 < count }) {
        guard lock.wait(until: deadline) else {
          throw MartletError(.timedOut, "A message of the measurement did not arrive")
        }
      }
    }
  }

  func clearSamples() { lock.withLock { samples.removeAll(keepingCapacity: true) } }

  func sortedSamples() -> [Double] { lock.withLock { samples.sorted() } }
}
