import Martlet
import Processes
import ServiceLifecycle
import Testing

@Suite struct ServiceTests {
  /// Runs services until `body` has ended, and looks at the broker afterwards.
  private func run(
    _ services: (Fleet) throws -> [any Service], _ body: (Fleet) async throws -> Void,
    after: (Fleet) async throws -> Void
  ) async throws {
    let files = try DemoFiles()
    let broker = try EmbeddedBroker()
    defer { broker.stop() }
    let fleet = Fleet(files: files, broker: broker, plan: try await files.plan(devices: 2))
    let group = ServiceGroup(services: try services(fleet), logger: .quiet)
    async let running: Void = group.run()
    do {
      try await body(fleet)
    } catch {
      await group.triggerGracefulShutdown()
      try? await running
      throw error
    }
    await group.triggerGracefulShutdown()
    try await running
    try await after(fleet)
  }

  @Test func workersFinishAndSayGoodbye() async throws {
    try await run { fleet in
      try fleet.plan.devices.map { try fleet.worker($0) }
    } _: { fleet in
      let session = try await fleet.session()
      #expect(try await session.infer(try fleet.files.input(0)).reliability == .complete)
      #expect(try await fleet.retainedState(of: "d0") == "ready")
      await session.close()
    } after: { fleet in
      for device in fleet.plan.devices {
        let state = try await fleet.retainedState(of: device)
        #expect(state == "offline")
      }
    }
  }

  @Test func gatewaysSayGoodbye() async throws {
    try await run { fleet in
      var options = GatewayService.Options()
      options.name = "door"
      return [GatewayService(plan: fleet.plan, broker: try fleet.access, options: options)]
    } _: { fleet in
      let isReady = try await eventually {
        try await fleet.retainedState(of: "door") == "ready"
      }
      #expect(isReady)
    } after: { fleet in
      let state = try await fleet.retainedState(of: "door")
      #expect(state == "offline")
    }
  }

  @Test func cancelledWorkersSayGoodbyeToo() async throws {
    let files = try DemoFiles()
    let broker = try EmbeddedBroker()
    defer { broker.stop() }
    let fleet = Fleet(files: files, broker: broker, plan: try await files.plan(devices: 2))
    let worker = try fleet.worker("d0")
    let task = Task { try await worker.run() }
    #expect(try await eventually { try await fleet.retainedState(of: "d0") == "ready" })
    task.cancel()
    try await task.value
    #expect(try await fleet.retainedState(of: "d0") == "offline")
  }

  @Test func whatCannotRunSaysWhy() async throws {
    let files = try DemoFiles()
    let plan = try await files.plan()
    let access = try BrokerAccess("unix:/nowhere.sock")
    let stranger = WorkerService(plan: plan, device: "stranger", broker: access)
    #expect(await code(of: { try await stranger.run() }) == .notFound)
    var options = WorkerService.Options()
    options.patience = .milliseconds(200)
    let lonely = WorkerService(plan: plan, device: "d0", broker: access, options: options)
    #expect(await code(of: { try await lonely.run() }) == .unreachable)
    var gateway = GatewayService.Options()
    gateway.name = "d0"
    let twin = GatewayService(plan: plan, broker: access, options: gateway)
    #expect(await code(of: { try await twin.run() }) == .invalidArgument)
  }
}
