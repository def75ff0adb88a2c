import Foundations
import Glibc
import MQTT
import Processes
import Testing

extension RefusalTests {
  /// What is read is acknowledged at once, so that a broker with Nagle's algorithm sends the next
  /// message without waiting.
  ///
  /// On a connection that also sends, the kernel keeps acknowledgements back, for up to 40 ms, because
  /// the next message out may carry them; it tells whether it does. Sending something brings that on, so
  /// it has to be undone after every read: when the second of two messages is handled, the first one has
  /// been. (This broker does not wait for acknowledgements; behind one that does, the 40 ms pass, and the
  /// kernel acknowledges at once for a while.)
  @Test(arguments: [false, true])
  func whatIsReadIsAcknowledgedAtOnce(encrypted: Bool) throws {
    let folder = try TemporaryFolder(prefix: "martlet-tls")
    chmod(folder.path, 0o755)
    let authority = try TestCertificate.authority(in: folder.path, name: "authority")
    let server = try authority.issue("server", host: "localhost")
    let port = try System.freeLoopbackPort()
    let broker = try EmbeddedBroker(extraConfiguration: server.listener(port: port))
    defer { broker.stop() }
    let receiver = try Peer.connected(
      encrypted ? "mqtts://localhost:\(port)" : broker.networkAddress, subscribing: ["t"]
    ) {
      $0.tls.authorityFile = authority.certificate
    }
    let sender = try Peer.connected(broker.socketAddress)
    let descriptor = try #require(socket(to: encrypted ? port : broker.port))
    for round in 0..<50 {
      for number in 1...2 {
        try sender.client.publish(MQTTMessage(topic: "t", payload: [7]))
        try #require(receiver.recorder.waitForMessages(2 * round + number))
      }
      #expect(acknowledgesAtOnce(descriptor), "round \(round)")
      try receiver.client.publish(MQTTMessage(topic: "answer", payload: [7]))
    }
  }

  /// This process's TCP socket that is connected to a port.
  private func socket(to port: UInt16) -> Int32? {
    (0..<1024).first { descriptor in
      var name = sockaddr_storage()
      var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
      return withUnsafeMutablePointer(to: &name) { pointer in
        pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
          let isConnected = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            getpeername(descriptor, $0, &size) == 0
          }
          // The port lies at the same place for both versions of IP.
          return isConnected && [AF_INET, AF_INET6].contains(Int32(address.pointee.sin_family))
            && address.pointee.sin_port == port.bigEndian
        }
      }
    }
  }

  private func acknowledgesAtOnce(_ descriptor: Int32) -> Bool {
    var isOn: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, &isOn, &size) == 0 && isOn != 0
  }
}
