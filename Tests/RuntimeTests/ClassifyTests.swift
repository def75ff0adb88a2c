import Foundations
import Glibc
import JSONCoding
import Plan
import Processes
import Runtime
import TensorFiles
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// `tools/classify.py`, which knows nothing but MQTT.
  @Suite(.serialized) struct Classifying {
    private static let python: String? = {
      let named = getenv("MARTLET_PYTHON").map { String(cString: $0) }
      return [named, "/usr/bin/python3"].compactMap { $0 }.first { path in
        guard FileSystem.exists(path),
          let child = try? ChildProcess(
            .init(
              executable: path, arguments: ["-c", "import paho.mqtt.client"],
              standardOutput: .discarded, standardError: .discarded))
        else { return false }
        return child.wait(timeout: .seconds(20)) == .exited(0)
      }
    }()

    private struct Outcome {
      var status: Processes.ExitStatus?
      var output: String
      var error: String
    }

    private func classify(_ arguments: [String], in folder: String) throws -> Outcome {
      let child = try ChildProcess(
        .init(
          executable: try #require(Self.python),
          arguments: [checkout + "/tools/classify.py"] + arguments,
          standardOutput: .file(folder + "/python.out"),
          standardError: .file(folder + "/python.err")))
      let status = child.wait(timeout: .seconds(40))
      if status == nil { child.stop(patience: .zero) }
      return Outcome(
        status: status, output: try FileSystem.readText(folder + "/python.out"),
        error: try FileSystem.readText(folder + "/python.err"))
    }

    private func checkAnswer(_ outcome: Outcome) throws {
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      let reply = try JSON.decode(
        JSONValue.self, from: Array(outcome.output.utf8), source: "python")
      #expect(reply["status"] == .string("OK"), "\(reply)")
      #expect(reply["body"]?["label"] != nil && reply["body"]?["request_id"] == reply["id"])
    }

    @Test(.enabled(if: python != nil, "needs Python with paho-mqtt (python3-paho-mqtt)"))
    func aFewLinesOfPythonClassify() throws {
      try Deployment.with(devices: 2) { deployment in
        let photo = deployment.folder + "/photo.png"
        try FileSystem.write(try deployment.digits.file(0), to: photo)
        let address = "127.0.0.1:\(deployment.broker.port)"
        let early = try classify([address, photo, "--timeout", "1"], in: deployment.folder)
        #expect(early.status == .exited(1) && early.error.contains("no answer"), "\(early.error)")
        try deployment.startAll()
        _ = try deployment.startGateway("g0")
        try deployment.withCaller { caller in try waitUntilServing(caller, "g0") }
        for index in 0..<3 {
          try FileSystem.write(try deployment.digits.file(index), to: photo)
          try checkAnswer(try classify([address, photo], in: deployment.folder))
        }
      }
    }

    /// TLS, a password and narrow rights.
    @Test(.enabled(if: python != nil, "needs Python with paho-mqtt (python3-paho-mqtt)"))
    func theyWorkWithTheBrokerOfMakeBroker() throws {
      try TemporaryFolder.with(prefix: "martlet-classify") { folder in
        // The broker gives up being root before it reads its files.
        chmod(folder, 0o755)
        let port = try System.freeLoopbackPort()
        let make = try ChildProcess(
          .init(
            executable: checkout + "/tools/make-broker",
            arguments: [
              "--host", "localhost", "--port", "\(port)", "--client", "laptop", "--devices",
              "d0,d1", "--gateways", "gateway1", folder + "/broker",
            ], standardOutput: .discarded, standardError: .inherited))
        try #require(make.wait(timeout: .seconds(60)) == .exited(0))
        let plan = try DemoModel.plan(devices: 2, folder: folder)
        let photo = folder + "/photo.png"
        try FileSystem.write(try Digits(folder: folder).file(0), to: photo)
        func start(_ executable: String, _ arguments: [String], _ log: String) throws
          -> ChildProcess
        {
          try ChildProcess(
            .init(
              executable: executable, arguments: arguments, standardOutput: .discarded,
              standardError: .appended(folder + "/" + log)))
        }
        func user(_ name: String) -> [String] {
          [
            "--username", name, "--password-file", folder + "/broker/users/" + name, "--ca-file",
            folder + "/broker/authority.pem",
          ]
        }
        let broker = try start(
          try #require(System.findExecutable("mosquitto")),
          ["-c", folder + "/broker/mosquitto.conf"], "broker.log")
        let common = ["--broker", "mqtts://localhost:\(port)", "--plan", plan.path]
        let children = [
          broker,
          try start(
            martletExecutable(), ["worker", "--device", "d0"] + common + user("d0"), "d0.log"),
          try start(
            martletExecutable(), ["worker", "--device", "d1"] + common + user("d1"), "d1.log"),
          try start(martletExecutable(), ["gateway"] + common + user("gateway1"), "gateway.log"),
        ]
        defer { for child in children { child.stop(patience: .zero) } }
        // Until all are up.
        let end = MonotonicTime.now() + .seconds(60)
        var last: Outcome
        repeat {
          last = try classify(
            ["localhost:\(port)", photo, "--timeout", "5"] + user("laptop"), in: folder)
        } while last.status != .exited(0) && MonotonicTime.now() < end
        try checkAnswer(last)
        try FileSystem.write(Array("wrong\n".utf8), to: folder + "/wrong")
        let refused = try classify(
          [
            "localhost:\(port)", photo, "--username", "laptop", "--password-file",
            folder + "/wrong", "--ca-file", folder + "/broker/authority.pem",
          ], in: folder)
        #expect(
          refused.status == .exited(1) && refused.error.contains("refused"), "\(refused.error)")
      }
    }

    private func waitUntilServing(_ caller: RPCClient, _ name: String) throws {
      var call = RPCClient.Call(RPCMethod("health", "check"), target: name)
      call.deadline = .seconds(20)
      call.resendAfter = .milliseconds(100)
      let end = ContinuousClock.now + .seconds(20)
      while try caller.result(of: call)["status"] != .string("SERVING") {
        try #require(ContinuousClock.now < end, "\(name) never served")
      }
    }
  }
}
