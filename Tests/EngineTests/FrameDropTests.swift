import Engine
import Foundations
import Plan
import Planning
import TestSupport
import Testing
import WireProtocol

@Suite struct FrameDropTests {
  /// A device's programs without the constants that only serve to stand in for others.
  private func enginesForAFullHouse(_ model: TinyModel) throws -> DeviceEngines {
    let plan = model.folder.plan
    let program = plan.program(device: 0, attendance: plan.normalised(.everyone(3)))
    let needed = Set(program.constants.values)
    let all = try model.folder.constants(device: 0)
    let kept = all.filter { needed.contains($0.key) }
    try #require(kept.count < all.count)
    return try DeviceEngines(plan: plan, device: 0, constants: kept)
  }

  private func check(_ model: TinyModel) throws {
    let simulation = Simulation(model)
    let worker = WorkerCore(
      engines: try enginesForAFullHouse(model), planID: model.folder.id, device: 0,
      limits: WorkerCore.Limits())
    simulation.workers[0] = worker
    for (index, roles) in ["aaa", "aa-", "a-a"].enumerated() {
      let message = try simulation.inputMessage(
        UInt64(index + 1), input: model.input(1), roles: roles)
      worker.input(message, client: "cam", now: simulation.now)
    }
    try simulation.work(0)
    #expect(worker.counters.framesDropped > 0)
    let reasons = worker.takeFrameDropLines(now: simulation.now).map(\.reason)
    #expect(reasons == [.noProgram])
    let failure = worker.takeProgramFailure()
    #expect(failure?.code == .mismatch)
    #expect(failure?.message.contains("lacks a constant") == true)
    #expect(worker.takeProgramFailure() == nil)
  }

  /// Frames of a full house run, those without a device do not, and the device says why.
  @Test func aProgramThatCannotBeMadeIsNoLackOfMemory() throws {
    let copies = { (traits: [LayerTraits]) in
      Placing.copies(traits, shares: [1, 1, 1], tolerating: 1)
    }
    try TinyModel.with(placing: copies) { try check($0) }
  }
}
