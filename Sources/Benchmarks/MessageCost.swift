import Foundations
import MQTT
import Plan
import Processes

/// What messages take on this device: at whoever sends or receives them, and at a broker.
enum MessageCost {
  private static let short = 4096
  private static let long = 1 << 20
  private static let chunk = 256 << 10

  /// Measures short and long messages from one publisher to one subscriber through a mosquitto that is
  /// started for it, over TCP.
  ///
  /// - Throws: `notFound` without mosquitto; what the client throws.
  static func measure() throws(MartletError) -> DeviceProfile.Messages {
    do {
      return try withEmbeddedBroker { broker in try measure(broker) }
    } catch let error as MartletError {
      throw error
    } catch {
      throw MartletError(.io, "cannot measure messages: \(error)")
    }
  }

  private static func measure(_ broker: EmbeddedBroker) throws -> DeviceProfile.Messages {
    let address = try BrokerAddress(parsing: "mqtt://127.0.0.1:\(broker.port)")
    /// Processor seconds for a message, of this process and of the broker.
    func stream(_ bytes: Int, count: Int) throws -> (endpoint: Double, broker: Double) {
      let before = try ProcessReading(of: broker.processID).cpuSeconds
      let result = try WireBenchmark.run(
        address: address, mode: .throughput, bytes: bytes, chunkBytes: chunk, count: count,
        subscribers: 1)
      let after = try ProcessReading(of: broker.processID).cpuSeconds
      return (
        result.cpuMicroseconds * 1e-6,
        (after - before) / Double(count + WireBenchmark.warmUp)
      )
    }
    let small = try stream(short, count: 10_000)
    let large = try stream(long, count: 200)
    let quick = try WireBenchmark.run(
      address: address, mode: .latency, bytes: short, count: 500, subscribers: 1)
    // One message is sent and received once, at each of the two.
    let endpoint = handling(small.endpoint / 2, large.endpoint / 2)
    let relay = handling(small.broker / 2, large.broker / 2)
    let busy =
      2 * endpoint.seconds(messages: 1, bytes: Double(short))
      + 2 * relay.seconds(messages: 1, bytes: Double(short))
    return DeviceProfile.Messages(
      endpoint: endpoint, broker: relay,
      delay: max(0, quick.medianMicroseconds * 1e-6 - busy))
  }

  /// Two equations, of a short message and of a long one in pieces.
  static func handling(_ short: Double, _ long: Double) -> DeviceProfile.Handling {
    let pieces = Double(Self.long / chunk)
    let byte = max(0, (long - pieces * short) / (Double(Self.long) - pieces * Double(Self.short)))
    return .init(message: max(0, short - byte * Double(Self.short)), byte: byte)
  }
}
