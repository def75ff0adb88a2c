import Foundations
import MQTT
import Testing

@Suite struct BrokerAddressTests {
  @Test(arguments: [
    ("mqtt://example.org:1884", "mqtt://example.org:1884", false),
    ("mqtts://example.org", "mqtts://example.org:8883", true),
    ("example.org", "mqtt://example.org:1883", false),
    ("10.0.0.1:99", "mqtt://10.0.0.1:99", false),
    ("mqtt://[::1]:5/", "mqtt://[::1]:5", false),
    ("unix:/run/mqtt.sock", "unix:/run/mqtt.sock", false),
    ("unix:///run/mqtt.sock", "unix:/run/mqtt.sock", false),
  ])
  func accepts(_ text: String, _ shown: String, _ tls: Bool) throws {
    let address = try BrokerAddress(parsing: text)
    #expect(address.description == shown)
    #expect(address.usesTLS == tls)
  }

  @Test(arguments: [
    "", " ", "http://x", "mqtt://", "mqtt://h:0", "mqtt://h:65536", "mqtt://h:x", "mqtt://h:+5",
    "h:1:2", "mqtt://h/path", "unix:relative", "unix:/" + String(repeating: "a", count: 107),
    "mqtt://%zz@h", "mqtt://@h", "mqtt://[::1", "mqtt://[::1]x", "mqtt://h\n", "mqtt://a%00@h",
  ])
  func rejects(_ text: String) {
    #expect(failure { _ = try BrokerAddress(parsing: text) }?.code == .invalidArgument)
  }

  @Test func neverShowsThePassword() throws {
    let address = try BrokerAddress(parsing: "mqtts://me:s%40cret@host:1")
    #expect(address.username == "me")
    #expect(address.password == "s@cret")
    var dumped = ""
    dump(address, to: &dumped)
    dump(MQTTConfiguration(address: address), to: &dumped)
    for text in ["\(address)", String(reflecting: address), dumped] {
      #expect(!text.contains("cret"))
    }
    let error = failure { _ = try BrokerAddress(parsing: "mqtt://me:secret@host:port") }
    #expect(error != nil && !"\(error!)".contains("secret"))
  }

  @Test(arguments: [
    ("localhost", true), ("127.1.2.3", true), ("[::1]:1", true), ("unix:/x", true),
    ("127.evil.org", false), ("10.0.0.1", false), ("example.org", false),
  ])
  func knowsWhatIsLocal(_ text: String, _ local: Bool) throws {
    #expect(try BrokerAddress(parsing: text).isLocal == local)
  }

  @Test func plaintextBeyondThisMachineNeedsPermission() throws {
    let error = failure { _ = try Peer("10.0.0.1") }
    #expect(error?.code == .permissionDenied)
    #expect(error?.hint?.contains("mqtts") == true)
    _ = try Peer("10.0.0.1") { $0.allowsPlaintext = true }
    _ = try Peer("mqtts://10.0.0.1")
  }
}
