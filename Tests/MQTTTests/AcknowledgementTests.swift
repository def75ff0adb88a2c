import Glibc
import MQTT
import Processes
import TensorCore
import Testing

extension RefusalTests {
  /// What is read is acknowledged at once, so that a broker with Nagle's algorithm sends the next
  /// message without waiting.
  ///
  /// The kernel tells how many segments without data a connection has sent. Without asking for it, a
  /// reader acknowledges the messages of 40 ms together, and this broker, which does not wait, sends
  /// hundreds in that time. With it at least every other message has an acknowledgement of its own: a
  /// message may be published, and arrive, between the handler's call and the acknowledgement.
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
    let before = acknowledgements(descriptor)
    let count = 400
    for number in 1...count {
      try sender.client.publish(MQTTMessage(topic: "t", payload: [7]))
      try #require(receiver.recorder.waitForMessages(number))
    }
    let sent = acknowledgements(descriptor) - before
    #expect(sent >= count / 2, "\(sent) acknowledgements for \(count) messages")
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

  /// Segments without data that a connection has sent: `tcpi_segs_out` less `tcpi_data_segs_out` of
  /// Linux's `struct tcp_info`, which the C library's own is too old to have.
  private func acknowledgements(_ descriptor: Int32) -> Int {
    var information = [UInt8](repeating: 0, count: 256)
    var size = socklen_t(information.count)
    guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &information, &size) == 0,
      size >= 160
    else { return 0 }
    return information.withUnsafeBytes {
      Int($0.loadUnaligned(fromByteOffset: 136, as: UInt32.self))
        - Int($0.loadUnaligned(fromByteOffset: 156, as: UInt32.self))
    }
  }
}
