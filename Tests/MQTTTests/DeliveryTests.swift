import Foundations
import Logging
import MQTT
import Processes
import Testing

@Suite(.serialized) struct DeliveryTests {
  @Test(arguments: ["unix", "tcp"])
  func deliversEverythingUnchanged(_ transport: String) throws {
    try withEmbeddedBroker { broker in
      let address = transport == "unix" ? broker.socketAddress : broker.networkAddress
      let receiver = try Peer.connected(address, subscribing: ["in/#"])
      let sender = try Peer.connected(address)
      let properties = MQTTProperties(
        contentType: "application/json", responseTopic: "reply/a", correlationData: [0, 1, 255],
        userProperties: [.init("a", "1"), .init("a", "2"), .init("b", "é")])
      let message = MQTTMessage(
        topic: "in/1", payload: [0, 1, 2, 255], quality: .atLeastOnce, properties: properties)
      try sender.client.publish(message)
      try sender.client.publish(MQTTMessage(topic: "in/empty", payload: []))
      #expect(receiver.recorder.waitForMessages(2))
      #expect(receiver.recorder.messages.first == message)
      #expect(receiver.recorder.messages.last?.payload.isEmpty == true)
      try sender.client.flush(timeout: .seconds(5))
      let statistics = sender.client.statistics
      #expect(statistics.messagesOut == 2 && statistics.bytesOut == 4)
      #expect(statistics.queuedBytes == 0 && statistics.queuedMessages == 0)
      #expect(receiver.client.statistics.bytesIn == 4)
    }
  }

  /// More than a socket holds at once: what waits comes all the same, in order, and nothing else waits
  /// for it.
  @Test(arguments: ["unix", "tcp"])
  func theBulkLaneKeepsItsOrder(_ transport: String) throws {
    try withEmbeddedBroker { broker in
      let address = transport == "unix" ? broker.socketAddress : broker.networkAddress
      let receiver = try Peer.connected(address, subscribing: ["bulk", "prompt"])
      let sender = try Peer.connected(address)
      let count = 120
      for number in 0..<count {
        try sender.client.publish(
          MQTTMessage(
            topic: "bulk", payload: [UInt8(number)] + [UInt8](repeating: 1, count: 200_000)),
          lane: .bulk)
        if number % 10 == 0 {
          try sender.client.publish(MQTTMessage(topic: "prompt", payload: [UInt8(number)]))
        }
      }
      try sender.client.flush(timeout: .seconds(20))
      #expect(receiver.recorder.waitForMessages(count + count / 10, seconds: 20))
      let messages = receiver.recorder.messages
      #expect(messages.filter { $0.topic == "bulk" }.map { $0.payload[0] } == (0..<120).map { $0 })
      #expect(messages.filter { $0.topic == "bulk" }.allSatisfy { $0.payload.count == 200_001 })
      #expect(
        messages.filter { $0.topic == "prompt" }.map { $0.payload[0] }
          == stride(from: 0, to: 120, by: 10).map { $0 })
      let statistics = sender.client.statistics
      #expect(statistics.bulkAccepted == 120 && statistics.bulkFinished == 120)
      #expect(statistics.bulkBytesWritten > 120 * 200_000 && statistics.queuedBytes == 0)
    }
  }

  /// libmosquitto forwards only the first entry of a list that it received.
  @Test func forwardsAllPropertiesOfAReceivedMessage() throws {
    try withEmbeddedBroker { broker in
      let last = try Peer.connected(broker.socketAddress, subscribing: ["b"])
      let relay = try Peer.connected(broker.socketAddress, subscribing: ["a"])
      let properties = MQTTProperties(
        expirySeconds: 500, contentType: "x", responseTopic: "r", correlationData: [7],
        userProperties: [.init("k", "1"), .init("k", "2")])
      try relay.client.publish(MQTTMessage(topic: "a", text: "t", properties: properties))
      #expect(relay.recorder.waitForMessages(1))
      var message = relay.recorder.messages[0]
      message.topic = "b"
      try relay.client.publish(message)
      #expect(last.recorder.waitForMessages(1))
      var received = last.recorder.messages[0].properties
      // The broker takes off the seconds that have passed.
      #expect((495...500).contains(received.expirySeconds ?? 0))
      received.expirySeconds = 500
      #expect(received == properties)
    }
  }

  @Test(arguments: ["unix", "tcp"])
  func deliversLargeMessages(_ transport: String) throws {
    try withEmbeddedBroker { broker in
      let address = transport == "unix" ? broker.socketAddress : broker.networkAddress
      let receiver = try Peer.connected(address, subscribing: ["large"])
      let sender = try Peer.connected(address)
      var payload = [UInt8](repeating: 0, count: 5_000_000)
      for index in payload.indices { payload[index] = UInt8(truncatingIfNeeded: index &* 31 >> 3) }
      for _ in 0..<4 { try sender.client.publish(MQTTMessage(topic: "large", payload: payload)) }
      #expect(receiver.recorder.waitForMessages(4))
      #expect(receiver.recorder.messages.allSatisfy { $0.payload == payload })
    }
  }

  /// The broker withholds packets beyond what the client said it accepts.
  @Test func inboundPacketsAreBounded() throws {
    try withEmbeddedBroker { broker in
      let receiver = try Peer.connected(broker.socketAddress, subscribing: ["x"]) {
        $0.maximumInboundPacketBytes = 2048
      }
      let sender = try Peer.connected(broker.socketAddress)
      try sender.client.publish(
        MQTTMessage(topic: "x", payload: [UInt8](repeating: 1, count: 4096)))
      try sender.client.publish(MQTTMessage(topic: "x", payload: [2]))
      #expect(receiver.recorder.waitForMessages(1))
      #expect(receiver.recorder.messages.map(\.payload) == [[2]])
    }
  }

  @Test func keepsOrderUnderABurstFromSeveralThreads() async throws {
    try await withEmbeddedBroker { broker in
      let receiver = try Peer.connected(broker.socketAddress, subscribing: ["burst/#"])
      let sender = try Peer.connected(broker.socketAddress)
      let client = sender.client
      try await withThrowingTaskGroup(of: Void.self) { group in
        for thread in 0..<4 {
          group.addTask {
            for index in 0..<500 {
              try client.publish(MQTTMessage(topic: "burst/\(thread)", text: "\(index)"))
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(receiver.recorder.waitForMessages(2000))
      for thread in 0..<4 {
        let texts = receiver.recorder.messages.filter { $0.topic == "burst/\(thread)" }
          .map { String(decoding: $0.payload, as: UTF8.self) }
        #expect(texts == (0..<500).map(String.init))
      }
    }
  }

  /// A handler may publish; and may wait for a lock whose holder is publishing.
  @Test func handlersMayPublish() throws {
    try withEmbeddedBroker { broker in
      let recorder = Recorder()
      let gate = NativeLock()
      let holder = HandlerClient()
      let client = try MQTTClient(
        MQTTConfiguration(address: try BrokerAddress(parsing: broker.socketAddress)),
        logger: .init(label: "test")
      ) { message in
        gate.withLock {}
        if message.topic == "ping" {
          try? holder.client?.publish(MQTTMessage(topic: "pong", payload: Array(message.payload)))
        } else {
          recorder.add(message)
        }
      }
      holder.client = client
      defer { holder.client = nil }
      try client.subscribe([("ping", .atMostOnce), ("pong", .atMostOnce)])
      try client.connect(timeout: .seconds(10))
      for index in 0..<300 {
        try gate.withLock { try client.publish(MQTTMessage(topic: "ping", text: "\(index)")) }
      }
      #expect(recorder.waitForMessages(300))
    }
  }

  @Test func badTopicsAreErrors() throws {
    try withEmbeddedBroker { broker in
      let peer = try Peer.connected(broker.socketAddress)
      for topic in ["", "a/#", "a/+/b"] {
        for quality in [MQTTQuality.atMostOnce, .atLeastOnce] {
          let error = failure {
            try peer.client.publish(MQTTMessage(topic: topic, payload: [1], quality: quality))
          }
          #expect(error?.code == .invalidArgument, "\(topic)")
        }
      }
      for filter in ["", "a/#/b", "a+"] {
        #expect(failure { try peer.client.subscribe(filter) }?.code == .invalidArgument)
      }
      #expect(peer.client.statistics.queuedMessages == 0)
    }
  }

  @Test func unsubscribedTopicsAreSilent() throws {
    try withEmbeddedBroker { broker in
      let peer = try Peer.connected(broker.socketAddress, subscribing: ["a", "b"])
      peer.client.unsubscribe(["a"])
      try peer.client.publish(MQTTMessage(topic: "a", payload: [1]))
      try peer.client.publish(MQTTMessage(topic: "b", payload: [2]))
      #expect(peer.recorder.waitForMessages(1))
      #expect(peer.recorder.messages.map(\.topic) == ["b"])
    }
  }
}

/// Lets a handler reach the client it belongs to.
///
/// `@unchecked Sendable`: set before the client connects and cleared after its last message.
private final class HandlerClient: @unchecked Sendable {
  var client: MQTTClient?
}
