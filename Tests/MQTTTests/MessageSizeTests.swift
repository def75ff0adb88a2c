import Foundations
import Glibc
import MQTT
import Processes
import Testing

/// Four kinds of brokers limit messages in four ways; each way is found out.
@Suite(.serialized) struct MessageSizeTests {
  private static let limit = 50_000

  /// This broker acknowledges what it drops with a reason.
  @Test(arguments: [false, true])
  func aRefusalIsNoticed(reading: Bool) throws {
    try withEmbeddedBroker(extraConfiguration: "message_size_limit \(Self.limit)") { broker in
      let peer = try Peer.connected(broker.socketAddress)
      #expect(peer.client.payloadRoom(topic: "t", properties: .init()) == nil)
      let size = try peer.client.largestPayload(
        topic: "t", upTo: 300_000, least: 2048, reading: reading, timeout: .seconds(20))
      #expect(size <= Self.limit && size > Self.limit / 2)
      let enough = try peer.client.largestPayload(
        topic: "t", upTo: Self.limit, least: 2048, reading: reading, timeout: .seconds(20))
      #expect(enough == Self.limit)
      let error = failure {
        _ = try peer.client.largestPayload(
          topic: "t", upTo: 300_000, least: 60_000, reading: reading, timeout: .seconds(20))
      }
      #expect(error?.code == .resourceExhausted)
      #expect(error?.hint?.contains("message_size_limit") == true)
      // None of it is a message, or a refusal that anybody would have to do something about.
      #expect(peer.recorder.messages.isEmpty)
      #expect(peer.recorder.events == [.connected])
    }
  }

  /// What nobody acknowledges vanishes: the reason why sizes are tried at all.
  @Test func withoutAcknowledgementNothingIsSaid() throws {
    try withEmbeddedBroker(extraConfiguration: "message_size_limit 100000") { broker in
      let peer = try Peer.connected(broker.socketAddress, subscribing: ["t"])
      for size in [100_001, 100_000] {
        try peer.client.publish(
          MQTTMessage(topic: "t", payload: [UInt8](repeating: 1, count: size)))
      }
      #expect(peer.recorder.waitForMessages(1))
      #expect(peer.recorder.messages.map(\.payload.count) == [100_000])
      #expect(peer.recorder.events == [.connected])
      for reading in [false, true] {
        let size = try peer.client.largestPayload(
          topic: "u", upTo: 262_144, least: 2048, reading: reading, timeout: .seconds(20))
        #expect(size == 65_536)
      }
    }
  }

  /// This one acknowledges what it drops as if nothing were wrong: only what does not come back tells.
  @Test func aSilentDropIsNoticedByReading() throws {
    try withEmbeddedBroker(extraConfiguration: "message_size_limit \(Self.limit)") { broker in
      let relay = try LyingRelay(to: broker.port, hiding: .refusals)
      defer { relay.stop() }
      let peer = try Peer.connected("127.0.0.1:\(relay.port)")
      func size(reading: Bool) throws -> Int {
        try peer.client.largestPayload(
          topic: "t", upTo: 80_000, least: 2048, reading: reading, timeout: .seconds(20))
      }
      #expect(try peer.client.bringsBack(topic: "t", timeout: .seconds(10)))
      #expect(try size(reading: false) == 80_000)
      #expect(try size(reading: true) == 40_000)
      #expect(peer.recorder.messages.isEmpty && peer.recorder.events == [.connected])
    }
  }

  @Test func aRefusedMessageIsToldAsSuch() throws {
    try withEmbeddedBroker(extraConfiguration: "message_size_limit \(Self.limit)") { broker in
      let peer = try Peer.connected(broker.socketAddress)
      try peer.client.publish(
        MQTTMessage(
          topic: "t", payload: [UInt8](repeating: 1, count: Self.limit + 1), quality: .atLeastOnce))
      #expect(
        peer.recorder.wait { _, events in
          events.contains {
            guard case .publishRefused("t", let error) = $0 else { return false }
            return error.code == .resourceExhausted && error.hint?.contains("--chunk-bytes") == true
          }
        })
    }
  }

  /// This one names its limit when it accepts the client.
  @Test func theLimitOfPacketsIsKept() throws {
    try withEmbeddedBroker(extraConfiguration: "max_packet_size \(Self.limit)") { broker in
      let peer = try Peer.connected(broker.networkAddress, subscribing: ["t"])
      let properties = MQTTProperties(
        expirySeconds: 9, contentType: "a/b", responseTopic: "r", correlationData: [1, 2],
        userProperties: [.init("name", "value")])
      let room = try #require(peer.client.payloadRoom(topic: "t", properties: properties))
      #expect(room < Self.limit && room > Self.limit - 80)
      let fitting = MQTTMessage(
        topic: "t", payload: [UInt8](repeating: 1, count: room), properties: properties)
      try peer.client.publish(fitting)
      #expect(peer.recorder.waitForMessages(1))
      var large = fitting
      large.payload += [UInt8](repeating: 1, count: 100)
      let error = failure { try peer.client.publish(large) }
      #expect(error?.code == .resourceExhausted)
      let size = try peer.client.largestPayload(
        topic: "u", upTo: 300_000, least: 2048, reading: false, timeout: .seconds(20))
      #expect(size < Self.limit && size > Self.limit - 80)
    }
  }

  /// And this one says nothing and closes the connection.
  @Test(arguments: [false, true])
  func aClosedConnectionIsNoticed(reading: Bool) throws {
    try withEmbeddedBroker(extraConfiguration: "max_packet_size \(Self.limit)") { broker in
      let relay = try LyingRelay(to: broker.port, hiding: .limit)
      defer { relay.stop() }
      let peer = try Peer.connected("127.0.0.1:\(relay.port)", subscribing: ["other"])
      #expect(peer.client.payloadRoom(topic: "t", properties: .init()) ?? .max > 1 << 30)
      let size = try peer.client.largestPayload(
        topic: "t", upTo: 300_000, least: 2048, reading: reading, timeout: .seconds(30))
      #expect(size <= Self.limit && size > Self.limit / 2 - 100)
      // It is connected again, with what it had subscribed to, and nothing is sent a second time.
      try peer.client.waitUntilReady(timeout: .seconds(10))
      try peer.client.publish(MQTTMessage(topic: "other", payload: [1], quality: .atLeastOnce))
      #expect(peer.recorder.waitForMessages(1))
      let losses = peer.recorder.events.compactMap { event -> MartletError? in
        if case .disconnected(let error) = event { error } else { nil }
      }
      #expect(losses.count == 3, "\(losses)")
      #expect(losses.allSatisfy { $0.message.contains("149") && $0.hint != nil }, "\(losses)")
    }
  }
}

/// A way to a broker on which what it says of sizes is lost.
///
/// `@unchecked Sendable`: the descriptors are set before the thread starts.
private final class LyingRelay: @unchecked Sendable {
  enum Hiding {
    /// The limit that it names when it accepts a client.
    case limit
    /// The refusals in its acknowledgements.
    case refusals
  }

  let port: UInt16
  private let hiding: Hiding
  private let listener: Int32
  private let target: UInt16

  init(to target: UInt16, hiding: Hiding) throws {
    self.target = target
    self.hiding = hiding
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = Self.loopback(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let isListening = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 16) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    port = UInt16(bigEndian: name.sin_port)
    try #require(isListening)
    startThread { self.accept() }
  }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { break }
      let broker = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var name = Self.loopback(target)
      let isConnected = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(broker, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      guard isConnected else { continue }
      startThread { Self.pump(from: client, to: broker) }
      let hiding = hiding
      startThread { Self.pump(from: broker, to: client, hiding: hiding) }
    }
    close(listener)
  }

  /// Copies bytes until either side closes. The descriptors stay open: they are few.
  private static func pump(from source: Int32, to target: Int32, hiding: Hiding? = nil) {
    var bytes = [UInt8](repeating: 0, count: 65536)
    var isFirst = hiding == .limit
    while true {
      let count = read(source, &bytes, bytes.count)
      guard count > 0 else { break }
      // CONNACK: 0x27 is the property with the largest packet, four bytes long.
      if isFirst, let place = bytes[5..<min(count, 64)].firstIndex(of: 0x27) {
        for index in place + 1...place + 4 { bytes[index] = 0x7F }
      }
      isFirst = false
      // PUBACK: 0x40, the length, two bytes of packet id, the reason.
      if hiding == .refusals, count >= 5 {
        for index in 0...count - 5
        where bytes[index] == 0x40 && (3...4).contains(bytes[index + 1]) && bytes[index + 4] >= 0x80
        { bytes[index + 4] = 0 }
      }
      var sent = 0
      while sent < count {
        let written = bytes[sent..<count].withUnsafeBytes {
          send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard written > 0 else { break }
        sent += written
      }
    }
    shutdown(target, Int32(SHUT_WR))
    shutdown(source, Int32(SHUT_RD))
  }

  private func startThread(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    pthread_detach(thread)
  }

  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return name
  }
}
