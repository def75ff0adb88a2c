import Engine
import Foundations
import JSONCoding
import Processes
import Runtime
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// Faults that a device is asked to have.
  @Suite(.serialized) struct Faults {
    private func fault(_ caller: RPCClient, _ text: String, device: String = "d1") throws {
      var call = RPCClient.Call(RPCMethod("device", "fault"), target: device)
      call.body = .json(try JSON.decode(JSONValue.self, from: text, source: "test"))
      call.deadline = .seconds(20)
      let begun = try caller.result(of: call)
      #expect(begun["kind"] == call.bodyKind && begun["seed"] != nil)
    }

    private func with(
      _ body: (Deployment, RPCClient, InferenceClient) throws -> Void
    ) throws {
      try Deployment.with(devices: 3) { deployment in
        try deployment.startAll(["--allow-faults", "--deadline", "300ms"])
        try deployment.withCaller { caller in
          try deployment.withClient {
            $0.deadline = .fixed(.milliseconds(300))
            $0.frameLimit = .seconds(2)
          } _: { client in
            try #require(try client.waitForDevices(timeout: .seconds(20)))
            try body(deployment, caller, client)
            #expect(
              try client.answer(try deployment.digits[0], seconds: 20) {
                !$0.isDegraded && !$0.awaited.contains(false)
              } != nil, "the answers never became complete again")
          }
        }
      }
    }

    @Test func droppedPartsAreFilledUntilTheFaultEnds() throws {
      try with { deployment, caller, client in
        try fault(caller, #"{"kind":"drop","fraction":1,"for_ms":600000,"seed":5}"#)
        let bad = try client.answer(try deployment.digits[0]) { answer in
          answer.fills.contains { $0.device == "d1" && $0.reason == "deadline" }
        }
        #expect(bad != nil)
        try fault(caller, #"{"kind":"clear"}"#)
      }
    }

    @Test func damagedHeadersAreCountedAndFilled() throws {
      try with { deployment, caller, client in
        try fault(
          caller, #"{"kind":"corrupt","place":"header","for_ms":600000,"seed":1}"#)
        let bad = try client.answer(try deployment.digits[0]) { $0.isDegraded }
        #expect(bad?.fills.allSatisfy { $0.device == "d1" } == true, "\(bad?.fills as Any)")
        try fault(caller, #"{"kind":"clear"}"#)
        #expect(deployment.workers.values.allSatisfy { $0.exitStatus == nil })
      }
    }

    @Test func delaysBelowTheDeadlineCostTimeOnly() throws {
      try with { deployment, caller, client in
        let reference = try deployment.reference()
        try fault(
          caller, #"{"kind":"delay","mean_ms":8,"spread_ms":2,"distribution":"uniform"}"#)
        let input = try deployment.digits[0]
        let answer = try client.answer(input)
        #expect(!answer.isDegraded && answer.latency >= .milliseconds(6), "\(answer.latency)")
        #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
      }
    }

    @Test func aStalledDeviceIsNotWaitedForTwice() throws {
      try with { deployment, caller, client in
        try fault(caller, #"{"kind":"stall","for_ms":3000}"#)
        let first = try client.answer(try deployment.digits[0]) { $0.isDegraded }
        #expect(first?.fills.allSatisfy { $0.device == "d1" } == true)
        let second = try client.answer(try deployment.digits[1])
        #expect(second.latency < .milliseconds(250), "\(second.latency)")
      }
    }

    @Test func aDeviceThatIsCutOffComesBack() throws {
      try with { deployment, caller, client in
        try fault(caller, #"{"kind":"disconnect","for_ms":1500}"#)
        let bad = try client.answer(try deployment.digits[0]) { $0.awaited == [true, false, true] }
        #expect(bad != nil, "nobody noticed")
        #expect(deployment.workers["d1"]?.exitStatus == nil)
      }
    }

    @Test func aDeviceEndsWhenAsked() throws {
      try with { deployment, caller, client in
        try fault(caller, #"{"kind":"exit","code":3}"#)
        #expect(deployment.workers["d1"]?.wait(timeout: .seconds(10)) == .exited(3))
        let bad = try client.answer(try deployment.digits[0]) { $0.awaited == [true, false, true] }
        #expect(bad != nil, "nobody noticed")
        try deployment.start("d1")
      }
    }
  }
}

extension RPCClient.Call {
  fileprivate var bodyKind: JSONValue? {
    if case .json(let value) = body { value["kind"] } else { nil }
  }
}
