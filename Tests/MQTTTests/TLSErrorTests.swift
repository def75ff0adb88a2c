import Foundations
import Glibc
import MQTT
import Processes
import Testing

/// Every way in which TLS usually goes wrong has words of its own.
@Suite(.serialized) struct TLSErrorTests {
  private final class Place {
    let folder: TemporaryFolder
    let authority: TestCertificate
    let broker: EmbeddedBroker
    let ports: [String: UInt16]

    init() throws {
      folder = try TemporaryFolder(prefix: "martlet-tls")
      chmod(folder.path, 0o755)
      authority = try TestCertificate.authority(in: folder.path, name: "authority")
      var certificates = [
        "good": try authority.issue("good", host: "localhost"),
        "old": try authority.issue(
          "old", host: "localhost", validity: ("20200101000000Z", "20210101000000Z")),
        "early": try authority.issue(
          "early", host: "localhost", validity: ("20900101000000Z", "20910101000000Z")),
        "elsewhere": try authority.issue("elsewhere", host: "broker.example"),
      ]
      var text = ""
      var ports: [String: UInt16] = [:]
      certificates["asking"] = certificates["good"]
      for (name, certificate) in certificates {
        let port = try System.freeLoopbackPort()
        ports[name] = port
        text += certificate.listener(port: port) + "\n"
        if name == "asking" {
          text += "cafile \(authority.certificate)\nrequire_certificate true\n"
        }
      }
      self.ports = ports
      broker = try EmbeddedBroker(extraConfiguration: text)
    }

    /// How the attempt to connect ends.
    func failure(
      _ listener: String, scheme: String = "mqtts", host: String = "localhost",
      authority: String? = "given"
    ) throws -> MartletError {
      let port = listener == "plain" ? broker.port : try #require(ports[listener])
      let peer = try Peer("\(scheme)://\(host):\(port)") {
        if scheme == "mqtts" {
          $0.tls.authorityFile = authority == "given" ? self.authority.certificate : authority
        }
      }
      defer { peer.client.close() }
      return try #require(MQTTTests.failure { try peer.client.connect(timeout: .seconds(20)) })
    }
  }

  @Test func eachMistakeIsNamed() throws {
    let place = try Place()
    defer { place.broker.stop() }
    func expect(
      _ error: MartletError, _ code: MartletError.Code, _ words: String...,
      location: SourceLocation = #_sourceLocation
    ) {
      #expect(error.code == code, "\(error)", sourceLocation: location)
      for word in words {
        #expect(error.description.contains(word), "\(error)", sourceLocation: location)
      }
    }
    expect(
      try place.failure("old"), .permissionDenied, "has expired", "Jan  1 00:00:00 2021 GMT",
      "clock", "renew")
    expect(
      try place.failure("early"), .unreachable, "not valid yet", "Jan  1 00:00:00 2090 GMT",
      "clock")
    expect(
      try place.failure("elsewhere"), .permissionDenied, "another host", "broker.example", "name")
    // By its address: the certificate names only the host.
    expect(
      try place.failure("good", host: "127.0.0.1"), .permissionDenied, "another host",
      "DNS:localhost")
    let other = try TestCertificate.authority(in: place.folder.path, name: "other")
    expect(
      try place.failure("good", authority: other.certificate), .permissionDenied, "not trusted",
      other.certificate, "authority file")
    expect(try place.failure("good", authority: nil), .permissionDenied, "not trusted", "--ca-file")
    expect(
      try place.failure("good", scheme: "mqtt"), .invalidArgument, "speaks TLS", "mqtts://",
      "--ca-file")
    expect(
      try place.failure("plain"), .invalidArgument, "without TLS", "mqtt://", "8883")
    expect(try place.failure("asking"), .permissionDenied, "certificate of this client", "--cert")
  }

  /// Nothing of it is in the way of what works, nor of a broker that comes later.
  @Test func whatIsRightConnects() throws {
    let place = try Place()
    defer { place.broker.stop() }
    let port = try #require(place.ports["good"])
    place.broker.shutDown()
    let peer = try Peer("mqtts://localhost:\(port)") {
      $0.tls.authorityFile = place.authority.certificate
    }
    try peer.client.start()
    #expect(peer.recorder.wait { _, events in !events.isEmpty })
    try place.broker.restart()
    #expect(peer.recorder.waitForConnections(1))
  }
}

@Suite struct FailureLogTests {
  private let failure = MartletError(.unreachable, "No broker is listening there")

  private func at(_ seconds: Double) -> MonotonicTime {
    MonotonicTime(nanoseconds: UInt64(seconds * 1e9))
  }

  /// One line, one after ten seconds, then one a minute, with what was tried meanwhile.
  @Test func theSameFailureIsToldNowAndThen() {
    var log = FailureLog()
    let lines = (0..<200).compactMap { second in
      log.line(for: failure, at: at(Double(second))).map { (second, $0) }
    }
    #expect(lines.map(\.0) == [0, 10, 70, 130, 190])
    #expect(lines[1].1.contains("tried 11 times"))
  }

  @Test func newsAreToldAtOnce() {
    var log = FailureLog()
    let other = MartletError(.permissionDenied, "The broker refused to log in")
    var told = [failure, failure, other, failure, failure].map {
      log.line(for: $0, at: at(1)) != nil
    }
    log.reset()
    told.append(log.line(for: failure, at: at(1)) != nil)
    #expect(told == [true, false, true, true, false, true])
  }
}
