import Foundations
import Tensors
import Testing
import WireProtocol

/// What a message costs besides its data. Reported always; fails only far above what any machine
/// that runs the tests should need, since a shared machine's times vary.
@Suite(.serialized) struct CostTests {
  private func microsecondsPerCall(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
    var best = Double.infinity
    for _ in 0..<5 {
      let time = try ContinuousClock().measure { for _ in 0..<count { try body() } }
      best = min(
        best, Double(time.components.attoseconds) / 1e12 + Double(time.components.seconds) * 1e6)
    }
    return best / Double(count)
  }

  @Test func overheadOfAMessage() throws {
    var encoder = try TensorEncoder(elementType: .float32)
    let head = try header(shape: [16])
    let values = [Float](repeating: 1, count: 16)
    var bytes: [UInt8] = try messages(head, values)[0]
    let length = Int(bytes[0]) + Int(bytes[1]) << 8
    let general = safetensors(
      "{ " + String(decoding: bytes[9..<8 + length], as: UTF8.self),
      data: Array(bytes[(8 + length)...]))
    var sum = 0
    let encoding = values.withUnsafeBufferPointer { buffer in
      microsecondsPerCall(2000) {
        encoder.encode(head, buffer) { message in sum &+= message.count }
      }
    }
    let fast = try microsecondsPerCall(2000) { try decoding(bytes) { sum &+= $0.count } }
    let slow = try microsecondsPerCall(2000) { try decoding(general) { sum &+= $0.count } }
    bytes = []
    let root = try TopicRoot(deployment: "home")
    let topic = try root.path(.activation(layer: "features-10", device: "pi-2"))
    let parsing = microsecondsPerCall(2000) { sum &+= root.parse(topic) == nil ? 0 : 1 }
    print(
      "microseconds: encode \(encoding), decode \(fast), decode any form \(slow), topic \(parsing)")
    #expect(sum > 0)
    #expect(encoding < 100 && fast < 100 && slow < 200 && parsing < 100)
  }
}
