import Engine
import Foundations
import MQTT
import Plan
import Processes
import Runtime
import TestSupport
import Testing

extension DistributedTests {
  /// Brokers that take no messages as large as tensors: the pieces get smaller, the answers stay whole.
  @Suite(.serialized) struct MessageLimits {
    @Test(arguments: ["message_size_limit 4000", "max_packet_size 4000"])
    func answersStayWhole(limit: String) throws {
      try Deployment.with(devices: 2, brokerConfiguration: limit) { deployment in
        let reference = try deployment.reference()
        try deployment.startAll()
        try deployment.withClient { client in
          #expect(try client.waitForDevices(timeout: .seconds(30)))
          for index in 0..<5 {
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(!answer.isDegraded, "\(deployment.standardError(of: "d0"))")
            #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
          }
        }
        let log = deployment.standardError(of: "d0")
        #expect(log.contains("message_size_limit") && log.contains("wanted_bytes"), "\(log)")
      }
    }

    /// The client's own inputs, which nobody acknowledges either.
    @Test func inputsTravelInSmallerPieces() throws {
      try Deployment.with(devices: 2, brokerConfiguration: "message_size_limit 4000") {
        deployment in
        try deployment.startAll()
        let log = LineCollector()
        let client = try InferenceClient(
          engines: try DeviceEngines(folder: deployment.plan, device: nil),
          planID: deployment.plan.id,
          configuration: ClientConfiguration(address: try deployment.address), logger: log.logger)
        defer { client.close() }
        try client.connect()
        #expect(log.text.contains("message_size_limit"), "\(log.text)")
        #expect(log.text.contains("topic=martlet/1/default/input/\(client.id)"), "\(log.text)")
        #expect(try client.waitForDevices(timeout: .seconds(30)))
        let input = try deployment.digits[0]
        #expect(try client.answer(input, until: { !$0.isDegraded }) != nil)
      }
    }

    /// Without room for a header and some elements nothing can be done, and that is said.
    @Test func tooLittleIsAnError() throws {
      try Deployment.with(devices: 2, brokerConfiguration: "message_size_limit 1000") {
        deployment in
        let worker = try deployment.start("d0")
        #expect(worker.wait(timeout: .seconds(30)) == .exited(75))
        let log = deployment.standardError(of: "d0")
        #expect(log.contains("message_size_limit") && log.contains("large enough"), "\(log)")
      }
    }
  }
}
