import Foundations
import Glibc
import MQTT
import Processes
import Testing

@Suite(.serialized) struct RefusalTests {
  @Test func anAbsentBrokerIsUnreachable() throws {
    let port = try System.freeLoopbackPort()
    for address in ["127.0.0.1:\(port)", "unix:/nonexistent/socket"] {
      let peer = try Peer(address)
      let error = failure { try peer.client.connect(timeout: .milliseconds(300)) }
      #expect(error?.code == .unreachable)
      #expect(error?.message.contains("No broker is listening") == true)
      #expect(error?.hint?.contains("start the broker") == true)
    }
  }

  @Test func aNameThatDoesNotResolveIsUnreachable() throws {
    let peer = try Peer("no-such-host.invalid") { $0.allowsPlaintext = true }
    let error = failure { try peer.client.connect(timeout: .seconds(1)) }
    #expect(error?.code == .unreachable || error?.code == .timedOut)
    // Neither does closing wait for more than the resolver.
    peer.client.close()
  }

  /// Something that accepts connections but never answers must not hold the client for ever.
  @Test func aSilentPeerTimesOut() throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listening = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 16) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    #expect(listening)
    let peer = try Peer("127.0.0.1:\(UInt16(bigEndian: name.sin_port))") {
      $0.connectTimeout = .milliseconds(200)
    }
    try peer.client.start()
    #expect(
      peer.recorder.wait { _, events in
        events.contains {
          if case .refused(let error) = $0 { error.code == .timedOut } else { false }
        }
      })
    peer.client.close()
  }

  @Test func wrongPasswordsAreNamedAndRecoverWhenTheBrokerRelents() throws {
    let folder = try TemporaryFolder(prefix: "martlet-password")
    let file = "\(folder.path)/passwords"
    chmod(folder.path, 0o755)
    try makePasswordFile(file, user: "me", password: "right")
    let broker = try EmbeddedBroker(
      extraConfiguration: "allow_anonymous false\npassword_file \(file)", allowsAnonymous: false)
    defer { broker.stop() }

    let right = try Peer.connected("mqtt://me:right@127.0.0.1:\(broker.port)")
    right.client.close()
    let nobody = try Peer(broker.networkAddress)
    let anonymous = failure { try nobody.client.connect(timeout: .seconds(5)) }
    #expect(anonymous?.code == .permissionDenied)
    #expect(anonymous?.hint?.contains("give a user name") == true)

    let wrong = try Peer("mqtt://me:wrong@127.0.0.1:\(broker.port)")
    let error = failure { try wrong.client.connect(timeout: .seconds(5)) }
    #expect(error?.code == .permissionDenied)
    #expect(error?.hint?.contains("password") == true)
    #expect(error.map { "\($0)".contains("wrong") } == false)

    // libmosquitto's own thread would have ended at the first refusal.
    try makePasswordFile(file, user: "me", password: "wrong")
    try broker.restart()
    #expect(wrong.recorder.waitForConnections(1))
  }

  @Test func forbiddenTopicsAreFoundOut() throws {
    let folder = try TemporaryFolder(prefix: "martlet-acl")
    chmod(folder.path, 0o755)
    let file = "\(folder.path)/acl"
    try write("topic readwrite open/#\ntopic read act/#\ntopic write out/#\n", to: file)
    let broker = try EmbeddedBroker(extraConfiguration: "acl_file \(file)")
    defer { broker.stop() }
    let peer = try Peer.connected(broker.socketAddress, subscribing: ["open/#"])
    try peer.client.verifyPermission(topic: "open/self", timeout: .seconds(5))
    try peer.client.verifyPermission(topic: "out/self", reading: false, timeout: .seconds(10))
    // To write is forbidden, to read, and both.
    for topic in ["act/self", "out/self", "other/self"] {
      let error = failure {
        try peer.client.verifyPermission(topic: topic, timeout: .seconds(10))
      }
      #expect(error?.code == .permissionDenied)
      #expect(error?.context.contains { $0.value == topic } == true)
      #expect(error?.hint?.contains("acl_file") == true)
    }
    // Whoever can do without it asks without complaint.
    for (topic, isBrought) in [("open/self", true), ("out/self", false), ("act/self", false)] {
      #expect(try peer.client.bringsBack(topic: topic, timeout: .seconds(10)) == isBrought)
    }
    // The check's own messages never reach the handler.
    #expect(peer.recorder.messages.isEmpty)
    #expect(
      peer.recorder.wait { _, events in
        events.contains {
          if case .publishRefused(let topic, let error) = $0 {
            topic == "other/self" && error.code == .permissionDenied
          } else {
            false
          }
        }
      })
  }

  @Test func tlsIsCheckedAgainstTheAuthority() throws {
    guard let openssl = System.findExecutable("openssl") else {
      Issue.record("openssl is not installed, so TLS is not tested")
      return
    }
    let folder = try TemporaryFolder(prefix: "martlet-tls")
    chmod(folder.path, 0o755)
    let path = folder.path
    for (certificate, key) in [("ca.pem", "ca.key"), ("other.pem", "other.key")] {
      _ = try ChildProcess.output(
        of: .init(
          executable: openssl,
          arguments: [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
            "\(path)/\(key)", "-out", "\(path)/\(certificate)",
          ]), timeout: .seconds(30))
      chmod("\(path)/\(key)", 0o644)
    }
    let port = try System.freeLoopbackPort()
    let broker = try EmbeddedBroker(
      extraConfiguration: """
        listener \(port) 127.0.0.1
        certfile \(path)/ca.pem
        keyfile \(path)/ca.key
        """)
    defer { broker.stop() }
    let trusting = try Peer.connected("mqtts://localhost:\(port)", subscribing: ["t"]) {
      $0.tls.authorityFile = "\(path)/ca.pem"
    }
    let payload = [UInt8](repeating: 7, count: 1_000_000)
    try trusting.client.publish(MQTTMessage(topic: "t", payload: payload))
    #expect(trusting.recorder.waitForMessages(1))
    #expect(trusting.recorder.messages.first?.payload == payload)
    trusting.client.close()

    for authority in ["\(path)/other.pem", nil] {
      let suspicious = try Peer("mqtts://localhost:\(port)") { $0.tls.authorityFile = authority }
      let error = failure { try suspicious.client.connect(timeout: .seconds(5)) }
      #expect(error?.code == .permissionDenied)
      #expect(error?.message.contains("not trusted") == true)
    }
    let missing = failure {
      _ = try Peer("mqtts://localhost:\(port)") { $0.tls.authorityFile = "\(path)/absent" }
    }
    #expect(missing?.code == .invalidFile)
  }

  private func makePasswordFile(_ file: String, user: String, password: String) throws {
    try write("\(user):\(password)\n", to: file)
    let program = try #require(System.findExecutable("mosquitto_passwd"))
    _ = try ChildProcess.output(
      of: .init(executable: program, arguments: ["-U", file]), timeout: .seconds(10))
    chmod(file, 0o644)
  }

  private func write(_ text: String, to path: String) throws {
    let stream = try #require(fopen(path, "w"))
    fputs(text, stream)
    fclose(stream)
    chmod(path, 0o644)
  }
}
