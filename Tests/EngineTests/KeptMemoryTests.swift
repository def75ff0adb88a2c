import Engine
import Foundations
import Plan
import Planning
import Tensors
import TestSupport
import Testing
import WireProtocol

/// What a device keeps for frames to come is bounded, and what it has given up comes back the same.
@Suite struct KeptMemoryTests {
  private static func coded(_ layers: [LayerTraits]) throws -> [LayerPlacement] {
    try Placing.coded(layers, shares: [1, 1, 1], tolerating: 1)
  }

  private func attendances(of devices: Int) -> [Attendance] {
    [.everyone(devices)]
      + (0..<devices).flatMap { device in
        [Attendance.Role.probed, .absent].map { role in
          var attendance = Attendance.everyone(devices)
          attendance.roles[device] = role
          return attendance
        }
      }
  }

  @Test func fewProgramsAreKeptAndDroppedOnesComeBackTheSame() throws {
    try TinyModel.with(placing: KeptMemoryTests.coded) { model in
      let cluster = LocalCluster(devices: model.engines, client: model.client)
      let attendances = attendances(of: model.engines.count)
      #expect(attendances.count == 7)
      func answers() throws -> [[Float]] {
        try attendances.map { attendance in
          try cluster.run([model.input(1)], attendance: attendance, report: FillReport())[0].floats
            ?? []
        }
      }
      let first = try answers()
      #expect(model.engines.allSatisfy { $0.programs == 4 })
      #expect(try answers() == first)
      #expect(model.engines.allSatisfy { $0.programs == 4 })
    }
  }

  @Test func memoryThatNoFrameNeedsIsGivenUp() throws {
    try TinyModel.with { model in
      let engine = try model.engines[0].engine(for: .everyone(3))
      var pool = ExecutionPool(limit: 4)
      let taken = try (0..<5).map { _ in try pool.take(for: engine) }
      for execution in taken { pool.give(execution, of: engine) }
      #expect(pool.count == 4)
      // All four were in use since the beginning.
      pool.dropUnused()
      #expect(pool.count == 4)
      // From now on one is.
      let again = try pool.take(for: engine)
      #expect(taken.contains { $0 === again })
      pool.give(again, of: engine)
      pool.dropUnused()
      #expect(pool.count == 1)
      // The last stays.
      pool.dropUnused()
      #expect(pool.count == 1)
    }
  }

  @Test func memoryOfAnotherProgramIsNotKept() throws {
    try TinyModel.with(placing: KeptMemoryTests.coded) { model in
      let usual = try model.engines[0].engine(for: .everyone(3))
      let other = try model.engines[0].engine(for: Attendance(alive: [true, false, true]))
      var pool = ExecutionPool(limit: 4)
      let execution = try pool.take(for: usual)
      let next = try pool.take(for: other)
      pool.give(execution, of: usual)
      #expect(pool.count == 0)
      pool.give(next, of: other)
      #expect(pool.count == 1)
    }
  }
}
