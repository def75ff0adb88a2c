import Foundations
import MQTT
import Processes
import Testing

@Suite(.serialized) struct ReconnectionTests {
  @Test(arguments: ["unix", "tcp"])
  func subscribesAgainAfterABrokerRestart(_ transport: String) throws {
    try withEmbeddedBroker { broker in
      let address = transport == "unix" ? broker.socketAddress : broker.networkAddress
      // More filters than fit one SUBSCRIBE packet of the client.
      let filters = (0..<150).map { "act/\($0)/w1" }
      let receiver = try Peer.connected(address, subscribing: filters)
      let sender = try Peer.connected(address)
      broker.crash()
      #expect(
        receiver.recorder.wait { _, events in
          events.contains { if case .disconnected = $0 { true } else { false } }
        })
      try broker.restart()
      #expect(receiver.recorder.waitForConnections(2))
      #expect(sender.recorder.waitForConnections(2))
      for index in 0..<150 {
        try sender.client.publish(MQTTMessage(topic: "act/\(index)/w1", payload: [1]))
      }
      #expect(receiver.recorder.waitForMessages(150))
      #expect(receiver.client.statistics.connections == 2)
    }
  }

  @Test func offlinePublishesFailOrWaitWithinTheBudget() throws {
    try withEmbeddedBroker { broker in
      let receiver = try Peer.connected(broker.socketAddress, subscribing: ["q"])
      let sender = try Peer.connected(broker.socketAddress) { $0.maximumQueuedBytes = 10_000 }
      broker.shutDown()
      #expect(sender.recorder.wait { _, events in events.count >= 2 })
      let offline = failure { try sender.client.publish(MQTTMessage(topic: "q", payload: [1])) }
      #expect(offline?.code == .unreachable)

      var accepted = 0
      var full: MartletError?
      while full == nil && accepted < 1000 {
        full = failure {
          try sender.client.publish(
            MQTTMessage(
              topic: "q", payload: [UInt8](repeating: UInt8(accepted), count: 900),
              quality: .atLeastOnce))
        }
        if full == nil { accepted += 1 }
      }
      #expect(full?.code == .resourceExhausted)
      #expect(accepted == 10)
      #expect(sender.client.statistics.queuedBytes <= 10_000)
      #expect(sender.client.statistics.rejectedOut == 2)

      // The receiver must be back first: the broker remembers nothing for it.
      try broker.restart()
      #expect(receiver.recorder.waitForConnections(2))
      #expect(sender.recorder.waitForConnections(2))
      try sender.client.flush(timeout: .seconds(5))
      #expect(sender.client.statistics.queuedBytes == 0)
      try sender.client.publish(MQTTMessage(topic: "q", payload: [99]))
      #expect(receiver.recorder.wait { messages, _ in messages.contains { $0.payload == [99] } })
    }
  }

  /// QoS 1 messages accepted offline arrive once there is a broker, in order.
  @Test func messagesAcceptedOfflineAreDelivered() throws {
    try withEmbeddedBroker { broker in
      let sender = try Peer(broker.socketAddress)
      broker.shutDown()
      try sender.client.start()
      for index in 0..<50 {
        try sender.client.publish(
          MQTTMessage(topic: "r/\(index)", text: "\(index)", quality: .atLeastOnce, retain: true))
      }
      try broker.restart()
      try sender.client.flush(timeout: .seconds(10))
      let reader = try Peer.connected(broker.socketAddress, subscribing: ["r/#"])
      #expect(reader.recorder.waitForMessages(50))
      #expect(reader.recorder.messages.allSatisfy { $0.retain })
    }
  }

  @Test func aLostConnectionPublishesTheWillAndReconnects() throws {
    try withEmbeddedBroker { broker in
      let watcher = try Peer.connected(broker.socketAddress, subscribing: ["will"])
      let mortal = try Peer.connected(broker.socketAddress) {
        $0.will = MQTTMessage(
          topic: "will", text: "lost", quality: .atLeastOnce,
          properties: MQTTProperties(contentType: "text/plain"))
      }
      mortal.client.severConnection()
      #expect(watcher.recorder.waitForMessages(1))
      #expect(watcher.recorder.messages.first?.payload == Array("lost".utf8))
      #expect(watcher.recorder.messages.first?.properties.contentType == "text/plain")
      #expect(mortal.recorder.waitForConnections(2))
    }
  }

  @Test func aCleanCloseDoesNotPublishTheWill() throws {
    try withEmbeddedBroker { broker in
      let watcher = try Peer.connected(broker.socketAddress, subscribing: ["will", "after"])
      let will = MQTTMessage(topic: "will", text: "lost", quality: .atLeastOnce)
      let polite = try Peer.connected(broker.socketAddress) { $0.will = will }
      polite.client.close()
      let other = try Peer.connected(broker.socketAddress) { $0.will = will }
      try other.client.publish(MQTTMessage(topic: "after", payload: []))
      #expect(watcher.recorder.waitForMessages(1))
      #expect(watcher.recorder.messages.map(\.topic) == ["after"])
      other.client.close(publishingWill: true)
      #expect(watcher.recorder.waitForMessages(2))
      #expect(watcher.recorder.messages.last?.topic == "will")
    }
  }

  @Test func aTakeoverIsNoticedAndNotFought() throws {
    try withEmbeddedBroker { broker in
      let first = try Peer.connected(broker.socketAddress) { $0.clientID = "twin" }
      let second = try Peer.connected(broker.socketAddress) { $0.clientID = "twin" }
      #expect(
        first.recorder.wait { _, events in
          events.contains { if case .takenOver = $0 { true } else { false } }
        })
      let error = failure { try first.client.publish(MQTTMessage(topic: "x", payload: [])) }
      #expect(error?.code == .superseded)
      #expect(
        failure { try first.client.waitUntilReady(timeout: .seconds(1)) }?.code == .superseded)
      // The second has the id for itself now.
      try second.client.waitUntilReady(timeout: .seconds(5))
      try second.client.verifyPermission(topic: "self", timeout: .seconds(5))
      #expect(second.client.statistics.connections <= 5)
      first.client.close()
      #expect(first.client.state == .closed)
    }
  }

  @Test func closingIsIdempotentAndPromptInEveryState() throws {
    let never = try Peer("unix:/nonexistent/socket")
    never.client.close()
    never.client.close()
    #expect(failure { try never.client.start() }?.code == .unreachable)
    let trying = try Peer("unix:/nonexistent/socket") {
      $0.backoff = MQTTBackoff(initial: .seconds(60), maximum: .seconds(60))
    }
    try trying.client.start()
    #expect(trying.recorder.wait { _, events in !events.isEmpty })
    let began = ContinuousClock.now
    trying.client.close()
    trying.client.close()
    #expect(ContinuousClock.now - began < .seconds(5))
    #expect(trying.recorder.events.last == .closed)
    #expect(
      failure { try trying.client.publish(MQTTMessage(topic: "x", payload: [])) }?.code
        == .unreachable)
  }
}
