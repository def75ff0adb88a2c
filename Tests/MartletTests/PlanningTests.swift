import Martlet
import TensorFiles
import Testing

@Suite struct PlanningTests {
  @Test func draftsSayWhatEachDeviceDoes() async throws {
    let model = try DemoFiles().model
    let draft = try await model.plan(for: .named(["attic", "cellar", "kitchen"]))
    #expect(draft.devices.map(\.name) == ["attic", "cellar", "kitchen"])
    #expect(draft.method == PlanningMethod.usual)
    #expect(draft.layers > 0 && draft.exchanges > 0)
    for device in draft.devices {
      #expect(device.weightBytes > 0 && device.weightBytes < model.weightBytes)
      #expect(device.neurons > 0 && device.multiplyAdds > 0)
      #expect(device.bytesSent > 0 && device.bytesReceived > 0)
    }
    let coded = try await model.plan(
      for: .count(4), method: "coded", options: ["tolerate": "1"])
    #expect(coded.copies > draft.copies)
    #expect(coded.devices.map(\.name) == ["d0", "d1", "d2", "d3"])
  }

  @Test func writtenPlansComeBack() async throws {
    let files = try DemoFiles()
    let draft = try await files.model.plan(for: .count(2, shares: [3, 1]))
    let written = try draft.write(to: files.folder + "/plan")
    let read = try DeploymentPlan(contentsOf: written.path)
    #expect(read.id == written.id && read.devices == ["d0", "d1"])
    #expect(read.shares() == draft.devices)
    #expect(read.labels == files.model.labels && read.task == .classification)
    #expect(read.input?.shape == [1, 1, 28, 28])
    #expect(try read.savedStudy() == nil)
    let file = try files.digit(0).file
    #expect(try read.input(image: file) == files.model.input(image: file))
  }

  @Test(arguments: WeightFormat.allCases)
  func weightsMayTakeFewerBytes(format: WeightFormat) async throws {
    let files = try DemoFiles()
    let plain = try await files.model.plan(for: .count(2))
    let draft = try await files.model.plan(for: .count(2), weights: .fixed(format))
    #expect(draft.copies == plain.copies && draft.method == plain.method)
    for (device, other) in zip(draft.devices, plain.devices) {
      #expect(device.weightBytes <= other.weightBytes)
      #expect((device.weightBytes == other.weightBytes) == (format == .float32))
    }
    let written = try draft.write(to: files.folder + "/plan")
    #expect(try DeploymentPlan(contentsOf: written.path).weights == format)
  }

  @Test func methodsAreListed() throws {
    #expect(PlanningMethod.all.map(\.name).contains(PlanningMethod.usual))
    let coded = try PlanningMethod.named("coded")
    #expect(coded.options.contains { $0.name == "tolerate" } && !coded.needsImages)
    #expect(try PlanningMethod.named("budget").needsImages)
  }

  @Test func plansArePredicted() async throws {
    let files = try DemoFiles()
    let model = files.model
    try writeBoardProfile(to: files.folder + "/board.json")
    var conditions = PlanConditions(profiles: [files.folder + "/board.json"])
    conditions.links = ["50mbit,2ms", "client=10mbit"]
    let named = try await model.plan(for: .count(3), conditions: conditions)
    let slow = try #require(named.forecast)
    #expect(named.method == PlanningMethod.usual)
    // A frame passes two links of 2 ms each way at least.
    #expect(slow.latency > .milliseconds(8) && slow.framesPerSecond > 0)
    let best = try #require(
      try await model.plan(
        for: .count(3), method: PlanningMethod.automatic, conditions: conditions
      ).forecast)
    #expect(best.latency <= slow.latency)
    #expect(best.summary.hasPrefix("best for latency: "))
    conditions.goal = .throughput
    conditions.brokerLink = "1gbit"
    let wide = try #require(
      try await model.plan(
        for: .named(["attic", "cellar"]), method: PlanningMethod.automatic, strips: .automatic,
        conditions: conditions
      ).forecast)
    #expect(wide.summary.hasPrefix("best for throughput: "))
    #expect(try await model.plan(for: .count(3)).forecast == nil)
    // Nothing is known to predict with.
    #expect(
      await code(of: {
        _ = try await model.plan(for: .count(3), method: PlanningMethod.automatic)
      }) == .invalidArgument)
    #expect(
      await code(of: { _ = try await model.plan(for: .count(3), strips: .automatic) })
        == .invalidArgument)
    conditions.links = ["fast"]
    let wrong = conditions
    #expect(
      await code(of: { _ = try await model.plan(for: .count(3), conditions: wrong) })
        == .invalidArgument)
    #expect(
      await code(of: {
        _ = try await model.plan(
          for: .count(3), method: PlanningMethod.automatic, options: ["tolerate": "1"],
          conditions: PlanConditions(profiles: [files.folder + "/board.json"]))
      }) == .invalidArgument)
  }

  @Test func plansSayWhatIsDividedByRowsAndHowPartsTravel() async throws {
    let files = try DemoFiles()
    let model = files.model
    let plain = try await model.plan(for: .count(2))
    let rows = try await model.plan(for: .count(2), strips: .all)
    #expect(rows.method.hasPrefix(plain.method + ", strips to "))
    #expect(rows.layers < plain.layers)
    #expect(try await model.plan(for: .count(2), strips: .nothing).method == plain.method)
    #expect(
      await code(of: { _ = try await model.plan(for: .count(2), strips: .until("nobody")) })
        == .notFound)
    let pairs = try await model.plan(for: .count(2), method: "lop", pairs: .all)
    #expect(pairs.method == "lop, 1 pair" && pairs.exchanges < plain.exchanges)
    #expect(
      await code(of: {
        _ = try await model.plan(for: .count(2), pairs: .ending(at: ["nobody"]))
      }) == .notFound)
    #expect(
      await code(of: { _ = try await model.plan(for: .count(2), pairs: .automatic) })
        == .invalidArgument)
    let bytes = try await model.plan(for: .count(2), wire: .fixed(.int8))
    #expect(
      try bytes.write(to: files.folder + "/bytes").id
        != plain.write(to: files.folder + "/plain").id)
    #expect(
      await code(of: { _ = try await model.plan(for: .count(2), wire: .automatic) })
        == .invalidArgument)
    let chosen = try await model.plan(
      for: .count(2), wire: .automatic,
      calibration: CalibrationImages([files.images], limit: 16))
    #expect(
      try chosen.write(to: files.folder + "/chosen").id
        != plain.write(to: files.folder + "/plain").id)
  }

  @Test func refusalsSayWhy() async throws {
    let files = try DemoFiles()
    let model = files.model
    #expect(await code(of: { _ = try PlanningMethod.named("magic") }) == .invalidArgument)
    #expect(
      await code(of: { _ = try await model.plan(for: .count(2), method: "magic") })
        == .invalidArgument)
    #expect(
      await code(of: { _ = try await model.plan(for: .count(2), options: ["x": "1"]) })
        == .invalidArgument)
    #expect(
      await code(of: { _ = try await model.plan(for: .count(2), fill: .mean) })
        == .invalidArgument)
    #expect(
      await code(of: { _ = try await model.plan(for: .named(["A B"])) }) == .invalidArgument)
    #expect(
      await code(of: { _ = try DeploymentPlan(contentsOf: files.folder) }) == .notFound)
    // The folder holds the model.
    let draft = try await model.plan(for: .count(2))
    #expect(await code(of: { _ = try draft.write(to: files.folder) }) == .invalidArgument)
  }
}

@Suite struct StudyTests {
  @Test func saysWhatLossesCost() async throws {
    let files = try DemoFiles()
    let plan = try await files.plan()
    let study = try await plan.study(
      files.model, images: [files.images], failures: 1, limit: 60, threads: 2)
    #expect(study.plan == plan.id && study.devices == plan.devices && study.unreadable.isEmpty)
    #expect(study.images == 60 && study.outcomes.count == 4)
    let whole = try #require(study.accuracy(without: []))
    #expect(whole.value >= 0.9 && whole.interval.contains(whole.value))
    let one = try #require(study.accuracy(without: ["d1"]))
    #expect(one.value < whole.value)
    #expect(study.accuracy(without: ["d0", "d1"]) == nil)
    #expect(study.accuracy(without: ["nobody"]) == nil)
    let summary = try #require(study.summaries.last)
    #expect(summary.failures == 1 && summary.worst.accuracy.value <= summary.average.value)
    #expect(summary.best.accuracy.value >= summary.average.value)
    #expect(
      try study.expectedAccuracy(reliabilities: ["d0": 1, "d1": 1, "d2": 1]) == whole.value)
    #expect(
      await code(of: { _ = try study.expectedAccuracy(reliabilities: ["d0": 1]) })
        == .invalidArgument)
    let saved = try #require(try plan.savedStudy())
    #expect(saved.outcomes == study.outcomes)
  }

  @Test func saysWhatTheFrameOfTheLossCosts() async throws {
    let files = try DemoFiles()
    let plan = try await files.plan()
    let study = try await plan.study(
      files.model, images: [files.images], failures: 1, wire: .int8, atLoss: true, rowFill: .zero,
      limit: 40, threads: 2)
    #expect(study.outcomes.count == 4)
    #expect(study.outcomesAtLoss.map(\.failed) == study.outcomes.map(\.failed))
    #expect(study.outcomesAtLoss[0].accuracy.value >= 0.9)
    #expect(study.outcomesAtLoss[0].lostNeurons == 0)
    // Nobody stands in: all that a device sends is missing.
    #expect(study.outcomesAtLoss.dropFirst().allSatisfy { $0.lostNeurons > 0 })
    #expect(try plan.savedStudy()?.outcomesAtLoss == study.outcomesAtLoss)
    let later = try await plan.study(
      files.model, images: [files.images], failures: 0, limit: 10, saves: false)
    #expect(later.outcomesAtLoss.isEmpty)
  }

  @Test func endsWhenItIsCancelled() async throws {
    let files = try DemoFiles()
    let plan = try await files.plan()
    let task = Task { try await plan.study(files.model, images: [files.images], saves: false) }
    task.cancel()
    let result = await task.result
    #expect(throws: MartletError.self) { try result.get() }
    #expect(await code(of: { _ = try result.get() }) == .cancelled)
    #expect(try plan.savedStudy() == nil)
  }
}
