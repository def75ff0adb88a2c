import Engine
import Foundations
import Glibc
import MQTT
import Plan
import Processes
import Runtime
import TensorFiles
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// A broker that goes, comes back, or refuses.
  @Suite(.serialized) struct Brokers {
    @Test func aRestartCostsNoFrame() throws {
      try Deployment.with { deployment in
        try deployment.startAll(["--deadline", "300ms"])
        let reference = try deployment.reference()
        try deployment.withClient {
          $0.deadline = .fixed(.milliseconds(300))
          $0.frameLimit = .seconds(1)
        } _: { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<5 { _ = try client.answer(try deployment.digits[index]) }
          // With frames under way, and then with nobody there at all.
          var tickets: Set<Int> = []
          for index in 0..<3 { tickets.insert(try client.submit(try deployment.digits[index])) }
          deployment.broker.crash()
          try deployment.broker.restart()
          for _ in 0..<3 { tickets.remove(try client.next().ticket) }
          #expect(tickets.isEmpty)
          #expect(try client.waitForDevices(timeout: .seconds(20)))
          let full = try client.answer(try deployment.digits[0]) { answer in
            !answer.isDegraded && !answer.awaited.contains(false)
          }
          try #require(full != nil, "the answers never became complete again")
          for index in 0..<10 {
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
          }
        }
        #expect(deployment.workers.values.allSatisfy { $0.exitStatus == nil })
      }
    }

    @Test func withoutABrokerTheClientGivesUpAfterItsPatience() throws {
      try Deployment.with { deployment in
        try deployment.startAll()
        try deployment.withClient {
          $0.patience = .seconds(1)
        } _: { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          _ = try client.answer(try deployment.digits[0])
          deployment.broker.shutDown()
          let start = ContinuousClock.now
          let error = failure {
            while true { _ = try client.answer(try deployment.digits[1]) }
          }
          #expect(error?.code == .unreachable)
          #expect(error?.description.contains("broker was gone") == true, "\(error as Any)")
          #expect(ContinuousClock.now - start < .seconds(4))
          // The frame is given up, not forgotten in between.
          #expect(client.framesInFlight == 0)
        }
      }
    }

    @Test func withoutWorkersTheClientGivesUpAfterItsPatience() throws {
      try Deployment.with { deployment in
        try deployment.withClient {
          $0.patience = .milliseconds(300)
        } _: { client in
          let error = failure { _ = try client.answer(try deployment.digits[1]) }
          #expect(error?.code == .unreachable)
          #expect(error?.description.contains("no device answered") == true, "\(error as Any)")
          #expect(error?.description.contains("d0 (nothing heard)") == true, "\(error as Any)")
        }
      }
    }

    @Test func aBrokerThatWantsAPasswordIsReported() throws {
      let broker = try EmbeddedBroker(allowsAnonymous: false)
      defer { broker.stop() }
      try TemporaryFolder.with { folder in
        let plan = try DemoModel.plan(devices: 2, folder: folder)
        let client = try InferenceClient(
          engines: try DeviceEngines(folder: plan, device: nil), planID: plan.id,
          configuration: ClientConfiguration(address: try Deployment.address(of: broker)),
          logger: quietLogger)
        defer { client.close() }
        #expect(failure { try client.connect() }?.code == .permissionDenied)
        let log = folder + "/log"
        let worker = try ChildProcess(
          .init(
            executable: try martletExecutable(),
            arguments: [
              "worker", "--broker", broker.socketAddress, "--plan", plan.path, "--device", "d1",
            ], standardOutput: .discarded, standardError: .file(log)))
        defer { worker.stop(patience: .zero) }
        #expect(worker.wait(timeout: .seconds(10)) == .exited(77))
        let text = try FileSystem.readText(log)
        #expect(text.contains("martlet: error:"), "\(text)")
        #expect(text.contains("password") || text.contains("user name"), "\(text)")
      }
    }
  }
}

/// The error that `body` throws, or nil.
func failure(_ body: () throws -> Void) -> MartletError? {
  do {
    try body()
    return nil
  } catch {
    return error as? MartletError
  }
}
