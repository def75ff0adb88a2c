import Foundations
import Testing
import WireProtocol

@Suite struct TopicTests {
  static let topics: [(Topic, String)] = [
    (.presence(device: "pi-1"), "presence/pi-1"),
    (.heartbeat(device: "pi-1"), "heartbeat/pi-1"),
    (.description(device: "pi-1"), "desc/pi-1"),
    (.plan, "plan"),
    (.input(client: "cam_0"), "input/cam_0"),
    (.input(client: "cam_0", device: "d1"), "input/cam_0/d1"),
    (.activation(layer: "features-0", device: "pi-1"), "act/features-0/pi-1"),
    (.call(service: "health", method: "check", target: "pi-1"), "rpc/health/check/pi-1"),
    (.reply(client: "cam_0", service: "health"), "reply/cam_0/health"),
    (.metric(device: "pi-1", kind: "energy"), "metric/pi-1/energy"),
    (.result(client: "cam_0"), "result/cam_0"),
  ]

  @Test(arguments: topics)
  func roundTrip(topic: Topic, text: String) throws {
    let root = try TopicRoot(deployment: "home")
    #expect(try root.path(topic) == "martlet/1/home/" + text)
    #expect(root.parse("martlet/1/home/" + text) == topic)
  }

  @Test(arguments: [
    "", "/", "martlet", "martlet/1/home", "martlet/1/home/", "martlet/2/home/plan",
    "martlet/1/away/plan", "martlet/1/home/plan/", "martlet/1/home/plan/x",
    "martlet/1/home//plan", "martlet/1/home/presence", "martlet/1/home/presence/",
    "martlet/1/home/presence/PI", "martlet/1/home/presence/a b", "martlet/1/home/presence/é",
    "martlet/1/home/presence/+", "martlet/1/home/presence/#", "martlet/1/home/act/x",
    "martlet/1/home/act/x/y/z", "martlet/1/home/other/x", "martlet/1/home/presence/\u{0}",
    "martlet/1/home/presence/aaaaaaaabbbbbbbbccccccccdddddddde",
    "martlet/1/home/a/b/c/d/e/f/g/h/i/j/k",
  ])
  func refusesOtherTopics(text: String) throws {
    #expect(try TopicRoot(deployment: "home").parse(text) == nil)
  }

  @Test func longestTopicKeepsTheLimits() throws {
    let id = String(repeating: "x", count: 32)
    let root = try TopicRoot(deployment: id)
    let path = try root.path(.call(service: id, method: id, target: id))
    #expect(path.utf8.count <= TopicRoot.maximumBytes)
    #expect(path.count { $0 == "/" } <= TopicRoot.maximumSlashes)
    #expect(root.parse(path) == .call(service: id, method: id, target: id))
    #expect(root.parse(path + String(repeating: "x", count: 300)) == nil)
  }

  @Test(arguments: ["", "A", "a/b", "+", "#", "a b", "ä", String(repeating: "a", count: 33)])
  func refusesToBuildFromBadNames(name: String) throws {
    #expect(throws: MartletError.self) { try TopicRoot(deployment: name) }
    let root = try TopicRoot(deployment: "home")
    #expect(throws: MartletError.self) { try root.path(.presence(device: name)) }
    #expect(throws: MartletError.self) { try root.path(.calls(target: name)) }
  }

  @Test func filters() throws {
    let root = try TopicRoot(deployment: "home")
    #expect(try root.path(.allPresence) == "martlet/1/home/presence/+")
    #expect(try root.path(.allInputs) == "martlet/1/home/input/+")
    #expect(try root.path(.inputs(device: "d1")) == "martlet/1/home/input/+/d1")
    #expect(try root.path(.allMetrics) == "martlet/1/home/metric/+/+")
    #expect(try root.path(.calls(target: "pi")) == "martlet/1/home/rpc/+/+/pi")
    #expect(try root.path(.replies(client: "c")) == "martlet/1/home/reply/c/+")
  }

  @Test func parsingSurvivesNoise() throws {
    let seed: UInt64 = 11
    var random = SeededGenerator(seed: seed)
    let root = try TopicRoot(deployment: "home")
    let alphabet = Array("martlet/1home/+#actplnx\u{0}é ")
    for round in 0..<20_000 {
      var text = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
        alphabet.randomElement(using: &random) ?? "x"
      }
      if Bool.random(using: &random) { text = Array("martlet/1/home/") + text }
      if let topic = root.parse(String(text)) {
        #expect(try root.path(topic) == String(text), "seed \(seed), round \(round)")
      }
    }
  }
}

@Suite struct IdentifierTests {
  @Test(arguments: [
    ("/features/features.0/Conv", "features-features-0-conv"),
    ("conv1", "conv1"), ("A_b-C", "a_b-c"), ("", "x"), ("///", "x"), ("été", "t"),
    ("--a--", "a"),
  ])
  func makesIdentifiers(name: String, expected: String) {
    #expect(Identifier.make(from: name) == expected)
  }

  @Test func longNamesStayApart() {
    let first = Identifier.make(
      from: "/model/stages.0/" + String(repeating: "block/", count: 9) + "Conv")
    let second = Identifier.make(
      from: "/model/stages.1/" + String(repeating: "block/", count: 9) + "Conv")
    #expect(first != second)
    #expect(first.utf8.count == 32 && Identifier.isValid(first) && first.hasSuffix("block-conv"))
  }

  @Test func avoidsTakenOnes() {
    var taken: Set<String> = []
    for _ in 0..<300 {
      let id = Identifier.make(from: String(repeating: "Conv", count: 20), avoiding: taken)
      #expect(Identifier.isValid(id))
      #expect(taken.insert(id).inserted)
    }
    #expect(Identifier.make(from: "a", avoiding: ["a", "a-2"]) == "a-3")
  }
}

@Suite struct EpochTests {
  @Test(
    arguments: [
      (nil, 1_760_000_000_000, 1_760_000_000_000), (5, 3, 6), (5, 9, 9), (nil, 0, 1), (6, 6, 7),
      (UInt64.max, 1, Epoch.maximum), (nil, UInt64.max, Epoch.maximum),
    ] as [(UInt64?, UInt64, UInt64)])
  func next(saved: UInt64?, clock: UInt64, expected: UInt64) {
    #expect(Epoch.next(saved: saved, unixMilliseconds: clock) == expected)
  }
}

@Suite struct MonotonicTimeTests {
  @Test func saturates() {
    #expect(MonotonicTime.distantFuture.adding(nanoseconds: 1) == .distantFuture)
    #expect(MonotonicTime.zero.adding(milliseconds: .max) == .distantFuture)
    #expect(seconds(1).adding(milliseconds: 500) == seconds(1.5))
    #expect(seconds(1).nanoseconds(since: seconds(2)) == 0)
    #expect(seconds(3).nanoseconds(since: seconds(1)) == 2_000_000_000)
  }
}
