import Foundations
import JSONCoding
import Testing
import WireProtocol

/// Requests that are an image and nothing else.
@Suite struct BareImageTests {
  private let image: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0x0A, 0x00]
  private let reply = "martlet/1/default/reply/me/device"

  private func send(
    _ payload: [UInt8], _ properties: RPCProperties, _ bench: inout RPCBench
  ) -> [RPCServerState.Action] {
    bench.server.receive(
      payload, on: .call(service: "device", method: "stats", target: "d0"),
      properties: properties, arrived: bench.now, at: bench.now)
  }

  @Test func propertiesSayWhoAsks() throws {
    var bench = RPCBench()
    let properties = RPCProperties(
      expirySeconds: 3, responseTopic: reply, correlation: Array("7".utf8))
    let call = try #require(send(image, properties, &bench).calls.first)
    #expect(call.key == RPCCallKey(client: "me", method: RPCMethod("device", "stats"), id: "7"))
    #expect(call.request.body == .bytes(image, type: "image/jpeg"))
    #expect(call.deadline == seconds(103))
    let message = try #require(
      bench.server.finish(call.key, .ok, at: bench.now).messages.first)
    #expect(message.topic == reply)
    // The same again is the same call; without an expiry there are ten seconds.
    #expect(send(image, properties, &bench).calls.isEmpty)
    let other = RPCProperties(responseTopic: reply, correlation: Array("8".utf8))
    #expect(send(image, other, &bench).calls.first?.deadline == seconds(110))
  }

  @Test func whoDoesNotSayIsToldHow() throws {
    var bench = RPCBench()
    let nobody = send(image, RPCProperties(), &bench)
    #expect(nobody.calls.isEmpty && nobody.messages.isEmpty)
    guard case .count(.noEnvelope)? = nobody.first else {
      Issue.record("counted otherwise: \(nobody)")
      return
    }
    let unnamed = try send(image, RPCProperties(responseTopic: reply), &bench).replies
    #expect(unnamed.first?.status?.code == .invalidArgument)
    for part in ["content_type", "correlation data"] {
      #expect(unnamed.first?.status?.message.contains(part) == true)
    }
    // Replies go to topics of the contract and of this service only.
    for topic in ["elsewhere", "martlet/1/default/reply/me/health"] {
      let actions = send(
        image, RPCProperties(responseTopic: topic, correlation: Array("1".utf8)), &bench)
      #expect(actions.calls.isEmpty && actions.messages.isEmpty)
    }
  }
}
