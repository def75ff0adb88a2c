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

  @Test func methodsAreListed() throws {
    #expect(PlanningMethod.all.map(\.name).contains(PlanningMethod.usual))
    let coded = try PlanningMethod.named("coded")
    #expect(coded.options.contains { $0.name == "tolerate" } && !coded.needsImages)
    #expect(try PlanningMethod.named("budget").needsImages)
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
