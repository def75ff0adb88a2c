import Engine
import Foundations
import Glibc
import JSONCoding
import LocalFleet
import MQTT
import Plan
import Processes
import Runtime
import TensorFiles
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// The rights that `tools/make-broker` and `broker-config/lan.acl` give are enough to work, and no
  /// more.
  @Suite(.serialized) struct Rights {
    private struct Place {
      var broker: EmbeddedBroker
      var fleet: Fleet
      /// Where `make-broker` has put its files.
      var folder: String
      var digits: Digits
      var plan: PlanFolder { fleet.plan }

      func password(_ user: String) throws -> String {
        let text = try FileSystem.readText(folder + "/broker/users/" + user)
        return String(text.split(separator: "\n")[0])
      }

      func start(
        _ command: String, _ user: String, _ options: [String] = [], deadline: String = "5s"
      ) throws -> ChildProcess {
        let access = ["--username", user, "--password-file", folder + "/broker/users/" + user]
        let common = ["--broker", broker.socketAddress, "--plan", plan.path]
        return try fleet.launch(
          user, [command] + common + access + ["--deadline", deadline] + options)
      }
    }

    /// Runs `body` with a broker that enforces the rights of a file.
    private func with(rights: (String) throws -> String, _ body: (Place) throws -> Void) throws {
      try TemporaryFolder.with(prefix: "martlet-rights") { folder in
        // The broker gives up being root before it reads these.
        chmod(folder, 0o755)
        let make = try ChildProcess(
          .init(
            executable: checkout + "/tools/make-broker",
            arguments: [
              "--host", "localhost", "--client", "client", "--devices", "d0,d1", "--gateways",
              "gateway1", folder + "/broker",
            ], standardOutput: .discarded, standardError: .inherited))
        try #require(make.wait(timeout: .seconds(60)) == .exited(0))
        let rights = try rights(folder)
        try FileSystem.write(try FileSystem.read(rights), to: folder + "/rights")
        try FileSystem.write(
          try FileSystem.read(folder + "/broker/passwords"), to: folder + "/passwords")
        for name in ["rights", "passwords"] { chmod(folder + "/" + name, 0o644) }
        let broker = try EmbeddedBroker(
          extraConfiguration: """
            allow_anonymous false
            password_file \(folder)/passwords
            acl_file \(folder)/rights
            """, allowsAnonymous: false)
        defer { broker.stop() }
        var settings = Fleet.Settings()
        settings.executable = try martletExecutable()
        settings.patience = .zero
        try withFleet(
          settings, plan: { try DemoModel.plan(devices: 2, folder: $0) }, at: Fleet.Site(broker)
        ) {
          try body(
            Place(broker: broker, fleet: $0, folder: folder, digits: try Digits(folder: folder)))
        }
      }
    }

    @Test(arguments: ["make-broker", "lan.acl"])
    func theyAreEnoughAndNoMore(source: String) throws {
      try with { folder in
        source == "lan.acl"
          ? checkout + "/broker-config/lan.acl" : folder + "/broker/rights"
      } _: { place in
        let users = ["client", "d0", "d1", "gateway1"]
        let watchers = try users.map { user in
          let watcher = try Watcher(
            place.broker, user: user, password: try place.password(user))
          try watcher.client.subscribe("martlet/1/default/#", quality: .atLeastOnce)
          try watcher.client.waitUntilReady(timeout: .seconds(10))
          return watcher
        }
        defer { for watcher in watchers { watcher.client.close() } }
        for name in ["d0", "d1"] { _ = try place.start("worker", name, ["--device", name]) }
        _ = try place.start("gateway", "gateway1")
        try call(place)
        // Everything has been seen by somebody; nobody sees what is not theirs.
        for (user, watcher) in zip(users, watchers) {
          let topics = Set(watcher.messages.map(\.topic)).compactMap {
            $0.split(separator: "/").dropFirst(3).map(String.init)
          }
          #expect(topics.contains { $0[0] == "presence" }, "\(user) sees nobody")
          for topic in topics {
            switch topic[0] {
            case "reply": #expect(topic[1] == user, "\(user) reads \(topic)")
            case "rpc":
              #expect(
                topic[3] == user || (user == "gateway1" && topic[1] == "inference"),
                "\(user) reads \(topic)")
            case "metric", "result": #expect(user == "client", "\(user) reads \(topic)")
            default: break
            }
          }
        }
        try checkForbiddenWrites(users, watchers, answersAreOpen: source == "lan.acl")
      }
    }

    @Test(arguments: ["gateway", "client", "means"])
    func namesThatMeanSomethingElseAreRefused(_ name: String) throws {
      try TemporaryFolder.with(prefix: "martlet-rights") { folder in
        for options in [["--devices", "d0,\(name)"], ["--devices", "d0", "--gateways", name]] {
          let errors = folder + "/errors"
          let make = try ChildProcess(
            .init(
              executable: checkout + "/tools/make-broker",
              arguments: ["--host", "localhost", "--client", "laptop"] + options
                + [folder + "/broker"], standardOutput: .discarded, standardError: .file(errors)))
          #expect(make.wait(timeout: .seconds(60)) == .exited(1))
          #expect(try FileSystem.readText(errors).contains("'\(name)'"))
          #expect(!FileSystem.exists(folder + "/broker"))
        }
      }
    }

    /// A mistake in the rights is said by whoever it concerns, with the topic, instead of looking like
    /// a dead device.
    @Test(arguments: [
      "topic write martlet/1/+/presence/d0", "topic write martlet/1/+/heartbeat/d0",
      "topic write martlet/1/+/act/+/d0", "topic read martlet/1/+/presence/+",
      "topic read martlet/1/+/heartbeat/+",
    ])
    func aWorkerThatLacksARightSaysSo(right: String) throws {
      try with {
        try without(right, of: "d0", in: $0)
      } _: { place in
        let worker = try place.start("worker", "d0", ["--device", "d0"])
        #expect(worker.wait(timeout: .seconds(30)) == .exited(77))
        let log = place.fleet.standardError(of: "d0")
        let kind = right.split(separator: "/")[3]
        #expect(log.contains("topic: martlet/1/default/\(kind)/"), "\(log)")
        #expect(log.contains("user: d0") && log.contains("acl_file"), "\(log)")
      }
    }

    /// A gateway that could not answer is not ready.
    @Test(arguments: [
      "topic write martlet/1/+/presence/gateway1", "topic read martlet/1/+/heartbeat/+",
      "topic write martlet/1/+/desc/gateway1", "topic write martlet/1/+/reply/+/+",
      "topic write martlet/1/+/input/+",
    ])
    func aGatewayThatLacksARightSaysSo(right: String) throws {
      try with {
        try without(right, of: "gateway1", in: $0)
      } _: { place in
        let gateway = try place.start("gateway", "gateway1")
        #expect(gateway.wait(timeout: .seconds(60)) == .exited(77))
        let log = place.fleet.standardError(of: "gateway1")
        let kind = right.split(separator: "/")[3]
        #expect(log.contains("topic: martlet/1/default/\(kind)/"), "\(log)")
        #expect(log.contains("user: gateway1") && log.contains("acl_file"), "\(log)")
        #expect(!log.contains("] ready"), "\(log)")
      }
    }

    /// It may be meant that a device does not read its own parts, so it works on.
    @Test func aWorkerThatMayNotReadPartsSaysSo() throws {
      try with {
        try without("topic read martlet/1/+/act/+/+", of: "d0", in: $0)
      } _: { place in
        let watcher = try Watcher(
          place.broker, user: "client", password: try place.password("client"))
        defer { watcher.client.close() }
        try watcher.client.subscribe("martlet/1/default/presence/d0", quality: .atLeastOnce)
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        _ = try place.start("worker", "d0", ["--device", "d0"])
        let ready = watcher.wait { messages in
          messages.lazy.compactMap { try? Presence(payload: $0.payload, source: $0.topic) }
            .first { $0.state == .ready }
        }
        #expect(ready != nil)
        let log = place.fleet.standardError(of: "d0")
        #expect(log.contains("topic: martlet/1/default/act/") && log.contains("acl_file"), "\(log)")
      }
    }

    @Test func aClientThatLacksARightSaysSo() throws {
      try with {
        try without("topic write martlet/1/+/input/+", of: "client", in: $0)
      } _: { place in
        var address = try Deployment.address(of: place.broker)
        address.broker.address.username = "client"
        address.broker.address.password = try place.password("client")
        let client = try InferenceClient(
          engines: try DeviceEngines(folder: place.plan, device: nil), planID: place.plan.id,
          configuration: ClientConfiguration(address: address), logger: quietLogger)
        defer { client.close() }
        let error = failure { try client.connect() }
        #expect(error?.code == .permissionDenied)
        #expect(error?.description.contains("input/\(client.id)") == true, "\(error as Any)")
      }
    }

    /// A list that hides one device's parts from one of those who wait for them. The device is not to
    /// blame, so it is not called late: the parts are denied, and whoever lacks them says which.
    @Test(arguments: ["client", "d0"]) func partsThatAreHiddenAreCalledDenied(from user: String)
      throws
    {
      try with {
        try denying("martlet/1/+/act/+/d1", to: user, in: $0)
      } _: { place in
        for name in ["d0", "d1"] {
          _ = try place.start("worker", name, ["--device", name], deadline: "300ms")
        }
        var address = try Deployment.address(of: place.broker)
        address.broker.address.username = "client"
        address.broker.address.password = try place.password("client")
        var configuration = ClientConfiguration(address: address)
        configuration.deadline = .fixed(.milliseconds(300))
        let log = LineCollector()
        let client = try InferenceClient(
          engines: try DeviceEngines(folder: place.plan, device: nil), planID: place.plan.id,
          configuration: configuration, logger: log.logger)
        defer { client.close() }
        try client.connect()
        try #require(try client.waitForDevices(timeout: .seconds(20)))
        let receiver = user == "client" ? "client" : "d0"
        let denied = try client.answer(try place.digits[0], seconds: 30) { answer in
          answer.fills.contains {
            $0.device == "d1" && $0.reason == "denied" && $0.filledBy.contains(receiver)
          }
        }
        #expect(denied != nil, "\(log.text)")
        // Said once, by whoever lacks them, with topics and what to look at.
        for _ in 0..<10 { _ = try client.answer(try place.digits[1]) }
        let said = user == "client" ? log.text : place.fleet.standardError(of: "d0")
        let lines = said.split(separator: "\n").filter { $0.contains("d1 works, but its parts") }
        #expect(lines.count == 1, "\(said)")
        let words = ["martlet/1/default/act/", "/d1", "acl_file", "write act/+/d1", "read act/+/+"]
        #expect(words.allSatisfy { word in lines.allSatisfy { $0.contains(word) } }, "\(said)")
      }
    }

    /// The rights of `make-broker`, with topics that one user may not read.
    private func denying(_ topics: String, to user: String, in folder: String) throws -> String {
      let lines = try FileSystem.readText(folder + "/broker/rights").split(
        separator: "\n", omittingEmptySubsequences: false)
      let mistaken = lines.flatMap { line in
        line == "user \(user)" ? [String(line), "topic deny \(topics)"] : [String(line)]
      }
      try #require(mistaken.count == lines.count + 1)
      let path = folder + "/mistaken"
      try FileSystem.write(Array(mistaken.joined(separator: "\n").utf8), to: path)
      return path
    }

    /// The rights of `make-broker` without one line of one user.
    private func without(_ right: String, of user: String, in folder: String) throws -> String {
      var owner = ""
      let lines = try FileSystem.readText(folder + "/broker/rights").split(separator: "\n")
      let kept = lines.filter { line in
        if line.hasPrefix("user ") { owner = String(line.dropFirst(5)) }
        return owner != user || line != right
      }
      try #require(kept.count == lines.count - 1)
      let path = folder + "/mistaken"
      try FileSystem.write(Array((kept.joined(separator: "\n") + "\n").utf8), to: path)
      return path
    }

    private func call(_ place: Place) throws {
      var address = try Deployment.address(of: place.broker)
      address.broker.address.username = "client"
      address.broker.address.password = try place.password("client")
      let caller = try RPCClient(address: address, logger: quietLogger)
      defer { caller.close() }
      try caller.connect(timeout: .seconds(10))
      #expect(caller.name == "client")
      for target in ["d0", "d1", "gateway1"] {
        var call = RPCClient.Call(RPCMethod("health", "check"), target: target)
        call.deadline = .seconds(20)
        call.resendAfter = .milliseconds(100)
        let end = ContinuousClock.now + .seconds(20)
        while try caller.result(of: call)["status"] != .string("SERVING") {
          try #require(ContinuousClock.now < end)
        }
      }
      for index in 0..<5 {
        var call = RPCClient.Call(RPCMethod("inference", "infer"), target: "gateway")
        call.body = .bytes(try place.digits.file(index), type: "image/png")
        call.deadline = .seconds(20)
        let answer = try caller.result(of: call)
        #expect(answer["degraded"] == .array([]), "\(answer)")
      }
    }

    /// Nobody speaks for another; the broker answers such a message with a refusal.
    ///
    /// - Parameter answersAreOpen: `lan.acl` has one pattern for all users, so a client may answer.
    private func checkForbiddenWrites(
      _ users: [String], _ watchers: [Watcher], answersAreOpen: Bool
    ) throws {
      let forbidden: [String: [String]] = [
        "client": ["presence/d0", "heartbeat/d0", "act/x/d0", "desc/d0"]
          + (answersAreOpen ? [] : ["reply/d0/device"]),
        "d0": [
          "presence/d1", "act/x/d1", "input/x", "input/x/d0", "metric/d1/frame", "plan", "result/x",
          "rpc/health/check/d1",
        ],
        "gateway1": ["presence/d0", "act/x/d0", "plan", "metric/d0/frame", "rpc/health/check/d1"],
      ]
      for (user, watcher) in zip(users, watchers) {
        for topic in forbidden[user] ?? [] {
          let before = watcher.client.statistics.rejectedOut
          try watcher.client.publish(
            MQTTMessage(
              topic: "martlet/1/default/" + topic, text: "forbidden", quality: .atLeastOnce))
          try watcher.client.flush(timeout: .seconds(10))
          #expect(watcher.client.statistics.rejectedOut == before + 1, "\(user) writes \(topic)")
        }
      }
    }
  }
}
