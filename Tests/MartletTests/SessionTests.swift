import Martlet
import Processes
import ServiceLifecycle
import Synchronization
import Testing

/// Digits for ever, counted as they are taken.
private struct CountedDigits: AsyncSequence, Sendable {
  final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
  }

  struct Iterator: AsyncIteratorProtocol {
    let digits: CountedDigits
    var index = 0

    mutating func next() async throws -> Tensor? {
      guard index < digits.limit else { return nil }
      defer { index += 1 }
      digits.taken.add()
      return try digits.files.input(index)
    }
  }

  let files: DemoFiles
  var limit = Int.max
  let taken = Counter()

  func makeAsyncIterator() -> Iterator { Iterator(digits: self) }
}

@Suite struct SessionTests {
  @Test func answersAreTheModels() async throws {
    try await Fleet.with { fleet in
      let session = try await fleet.session()
      #expect(session.devices.map(\.state) == [.alive, .alive, .alive])
      for index in 0..<6 {
        let input = try fleet.files.input(index)
        let answer = try await session.infer(input)
        let whole = try fleet.files.model.run([input])[0]
        #expect(answer.outputs.count == 1 && answer.outputs[0].shape == whole.shape)
        for (given, expected) in zip(answer.outputs[0].values, whole.values) {
          #expect(abs(given - expected) <= 1e-4 * max(1, abs(expected)))
        }
        #expect(answer.reliability == .complete && !answer.isDegraded && !answer.isGuess)
        #expect(answer.present == fleet.plan.devices && answer.refusal == nil)
        #expect(answer.attempts == 1 && answer.latency > .zero)
      }
      await session.close()
    }
  }

  @Test func sequencesKeepTheirOrder() async throws {
    try await Fleet.with { fleet in
      let session = try await fleet.session { $0.inFlight = 3 }
      var index = 0
      for try await answer in session.answers(for: CountedDigits(files: fleet.files, limit: 30)) {
        let whole = try fleet.files.model.predict(try fleet.files.input(index))
        #expect(answer.prediction.best?.label == whole.best?.label)
        index += 1
      }
      #expect(index == 30)
      #expect(session.framesInFlight == 0)
      await session.close()
    }
  }

  /// After nine answers with one frame under way, two are tried.
  @Test func sessionsFindOutHowManyFramesAreWorthIt() async throws {
    try await Fleet.with { fleet in
      let session = try await fleet.session { $0.inFlight = nil }
      #expect(session.inFlight == 1)
      var (index, most) = (0, 0)
      for try await answer in session.answers(for: CountedDigits(files: fleet.files, limit: 60)) {
        let whole = try fleet.files.model.predict(try fleet.files.input(index))
        #expect(answer.prediction.best?.label == whole.best?.label)
        index += 1
        most = max(most, session.inFlight)
      }
      #expect(index == 60 && session.framesInFlight == 0)
      #expect(most >= 2)
      await session.close()
    }
  }

  @Test func inputsMayFail() async throws {
    try await Fleet.with { fleet in
      let session = try await fleet.session()
      let digits = CountedDigits(files: fleet.files, limit: 5)
      let answers = session.answers(
        for: digits.map { digit throws in
          if digits.taken.value == 5 { throw CancellationError() }
          return digit
        })
      var iterator = answers.makeAsyncIterator()
      var count = 0
      await #expect(throws: CancellationError.self) {
        while try await iterator.next() != nil { count += 1 }
      }
      #expect(count == 4)
      #expect(try await iterator.next() == nil)
      await session.close()
    }
  }

  @Test func answersGoOnWithoutADevice() async throws {
    let files = try DemoFiles()
    let broker = try EmbeddedBroker()
    defer { broker.stop() }
    let fleet = Fleet(files: files, broker: broker, plan: try await files.plan(devices: 3))
    let workers = try fleet.plan.devices.map { device in
      let worker = try fleet.worker(device)
      return Task { try await worker.run() }
    }
    let session = try await fleet.session()
    let input = try files.input(2)
    #expect(try await session.infer(input).present == ["d0", "d1", "d2"])
    workers[1].cancel()
    try await workers[1].value
    #expect(try await eventually { session.devices[1].state == .lost })
    let answer = try await session.infer(input)
    #expect(answer.present == ["d0", "d2"] && answer.isDegraded && answer.caution != nil)
    #expect(answer.missing.allSatisfy { $0.device == "d1" && $0.neurons > 0 })
    #expect(answer.reliability == .unknown)
    await session.close()
    for worker in workers { worker.cancel() }
    for worker in workers { try await worker.value }
  }

  @Test func slowTakersHoldInputsBack() async throws {
    try await Fleet.with { fleet in
      let session = try await fleet.session { $0.inFlight = 2 }
      let digits = CountedDigits(files: fleet.files)
      var answers = 0
      for try await _ in session.answers(for: digits) {
        answers += 1
        // Long enough for many frames.
        try await Task.sleep(for: .milliseconds(100))
        #expect(digits.taken.value <= answers + 2)
        #expect(session.framesInFlight <= 2)
        if answers == 8 { break }
      }
      #expect(answers == 8)
      // The iterator is gone: nothing more is taken.
      let taken = digits.taken.value
      try await Task.sleep(for: .milliseconds(200))
      #expect(digits.taken.value <= taken + 1)
      #expect(try await eventually { session.framesInFlight == 0 })
      await session.close()
    }
  }

  @Test func cancelledTasksEndAtOnceAndTheSessionGoesOn() async throws {
    try await Fleet.with { fleet in
      let session = try await fleet.session { $0.inFlight = 1 }
      let input = try fleet.files.input(0)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            let error = await code(of: { _ = try await session.infer(input) })
            #expect(error == nil || error == .cancelled)
          }
        }
        group.cancelAll()
      }
      #expect(try await eventually { session.framesInFlight == 0 })
      #expect(try await session.infer(input).reliability == .complete)
      await session.close()
    }
  }

  @Test func closingAnswersWhatIsUnderWay() async throws {
    try await Fleet.with { fleet in
      let session = try await fleet.session()
      let input = try fleet.files.input(0)
      let pending = try await session.submit(input)
      await session.close()
      #expect(pending.isFinished)
      #expect(try await pending.value.reliability == .complete)
      #expect(await code(of: { _ = try await session.submit(input) }) == .cancelled)
      await session.close()
      var seen = 0
      for await devices in session.presence() {
        #expect(devices.count == 3)
        seen += 1
      }
      #expect(seen == 1)
    }
  }

  @Test func presenceTellsWhoComesAndGoes() async throws {
    let files = try DemoFiles()
    let broker = try EmbeddedBroker()
    defer { broker.stop() }
    let fleet = Fleet(files: files, broker: broker, plan: try await files.plan(devices: 2))
    let session = try await InferenceSession(plan: fleet.plan, broker: try fleet.access)
    #expect(session.devices.map(\.state) == [.unknown, .unknown])
    #expect(
      await code(of: { try await session.waitUntilReady(timeout: .milliseconds(100)) })
        == .timedOut)
    let stream = session.presence()
    let history = Task {
      var states: [DevicePresence.State] = []
      for await devices in stream { states.append(devices[0].state) }
      return states
    }
    let group = ServiceGroup(
      services: try fleet.plan.devices.map { try fleet.worker($0) }, logger: .quiet)
    async let running: Void = group.run()
    try await session.waitUntilReady()
    #expect(try await session.infer(try files.input(1)).present == ["d0", "d1"])
    await group.triggerGracefulShutdown()
    try await running
    #expect(
      try await eventually { session.devices.allSatisfy { $0.state == .lost } })
    await session.close()
    let states = await history.value
    #expect(states.first == .unknown && states.last == .lost && states.contains(.alive))
  }

  @Test func patienceEnds() async throws {
    let files = try DemoFiles()
    let broker = try EmbeddedBroker()
    let plan = try await files.plan()
    let access = try BrokerAccess(broker.socketAddress)
    var options = InferenceSession.Options()
    options.patience = .seconds(1)
    let session = try await InferenceSession(plan: plan, broker: access, options: options)
    let input = try files.input(0)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let error = await code(of: { _ = try await session.infer(input) })
          #expect(error == .unreachable)
        }
      }
    }
    let hurried = await code(of: {
      _ = try await session.infer(input, within: .milliseconds(50))
    })
    #expect(hurried == .timedOut || hurried == .unreachable)
    let small = try Tensor(shape: [3], values: [1, 2, 3])
    #expect(await code(of: { _ = try await session.infer(small) }) == .invalidShape)
    await session.close()
    broker.stop()
    let late = options
    #expect(
      await code(of: {
        _ = try await InferenceSession(plan: plan, broker: access, options: late)
      }) == .unreachable)
    #expect(await code(of: { _ = try BrokerAccess("carrier://pigeon") }) == .invalidArgument)
    #expect(
      await code(of: { _ = try BrokerAccess("localhost", deployment: "A B") })
        == .invalidArgument)
  }

  @Test func passwordsAreNotShown() throws {
    var access = try BrokerAccess("mqtts://me:secret@broker.local")
    #expect(access.username == "me" && access.password == "secret")
    access.password = "sesame"
    var text = "\(access)"
    dump(access, to: &text)
    #expect(!text.contains("secret") && !text.contains("sesame"))
  }
}
