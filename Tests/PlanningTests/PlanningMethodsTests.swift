import Evaluation
import Foundations
import ModelGraph
import Plan
import Planning
import TestSupport
import Testing

/// A method that exists in this file alone: every neuron on one device.
private struct SoloMethod: PlanningMethod {
  static let on = MethodOption<Int>("on", .integer(from: 0), standard: "0", help: "which device.")

  let name = "solo"
  let summary = "every neuron on one device"
  let options: [any MethodOptionFacts] = [SoloMethod.on]
  let abilities = MethodAbilities(takesShares: false)

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    let device = request.choices[SoloMethod.on] ?? 0
    guard device < request.context.devices.count else {
      throw MartletError(.invalidArgument, "there is no device \(device)", hint: "take fewer")
    }
    return PlacementResult(
      placements: request.context.sharding.layers.map { layer in
        LayerPlacement(holders: (0..<layer.neurons).map { _ in [device] })
      }, description: "solo on \(device)")
  }

  func variants(devices: Int, budgets: [Double]) -> [MethodVariant] {
    [0, devices].map { MethodVariant("solo", name: "solo on \($0)", options: ["on": "\($0)"]) }
  }

  func protections(
    _ material: ProtectionMaterial
  ) throws(MartletError) -> [ProtectionOffer] {
    [
      ProtectionOffer(
        "solo",
        material.layers.map { layer in
          LayerPlacement(holders: (0..<layer.neurons).map { _ in [material.devices - 1] })
        })
    ]
  }
}

@Suite("Planning methods")
struct PlanningMethodsTests {
  private static let methods = PlanningMethods(PlanningMethods.standard.all + [SoloMethod()])

  private func context(_ graph: Graph, _ layout: PlanLayout) -> PlacingContext {
    PlacingContext(
      graph: graph, model: .init(name: "m", sha256: "", preprocessing: nil, labels: []),
      layout: layout)
  }

  private func named(_ name: String) throws -> any PlanningMethod { try Self.methods.named(name) }

  private func plan(
    _ method: any PlanningMethod, _ options: [String: String] = [:], devices: Int = 3,
    shares: [Double]? = nil, fill: Plan.Fill.Kind = .zero
  ) throws -> Plan {
    let graph = try RandomGraph.network(seed: 3)
    let maker = try PlanMaker(
      method, options: options, fill: fill, methods: Self.methods,
      measuring: Measuring(threads: 1))
    let layout = try maker.layout(
      of: graph, wishes: DeviceWishes(count: devices, shares: shares))
    return try maker.make(context(graph, layout)).plan
  }

  private func error(_ body: () throws -> Void) -> String {
    let error = #expect(throws: MartletError.self) { try body() }
    #expect(error?.code == .invalidArgument)
    return error?.description ?? ""
  }

  // MARK: A new method

  @Test("a method of one file plans")
  func newMethodPlans() throws {
    let made = try plan(named("solo"), ["on": "2"])
    #expect(made.method == "solo on 2")
    #expect(made.parts.allSatisfy { $0[0].isEmpty && $0[1].isEmpty && !$0[2].isEmpty })
  }

  @Test("a method of one file is explored beside the others")
  func newMethodIsExplored() throws {
    let graph = try RandomGraph.network(seed: 3)
    let layout = PlanLayout(
      devices: try DeviceWishes(count: 3).devices(), sharding: try Sharding(graph))
    let images = LabelledImages(names: ["a", "b"], labels: [0, 0]) {
      RandomGraph.input(of: graph, seed: UInt64($0))
    }
    let exploring = try Exploring(
      context: context(graph, layout), measuring: Measuring(threads: 1), calibration: images,
      fill: .zero)
    let found = try exploring.placements(budgets: [2], options: [:], methods: Self.methods)
    let names = found.placed.flatMap { [$0.variant.name] + $0.also.map(\.name) }
    #expect(names.contains("lop") && names.contains("solo on 0"), "\(names)")
    #expect(found.leftOut.contains { $0.name == "solo on 3" && $0.reason == "take fewer" })
    #expect(found.leftOut.contains { $0.name == "robustdice" && $0.reason == "it needs --scores" })
  }

  @Test("a method of one file is offered to budget")
  func newMethodIsOffered() throws {
    let graph = try RandomGraph.network(seed: 3)
    let sharding = try Sharding(graph)
    let table = try ProtectionTable(
      layers: LayerTraits.all(of: sharding, graph: graph), devices: 3,
      importance: sharding.layers.map { Importance.l1(of: $0, graph: graph) },
      methods: Self.methods)
    #expect(table.options.allSatisfy { $0.contains { $0.protection == "solo" } })
  }

  // MARK: What is said of wrong options

  @Test func anOptionOfOtherMethodsIsNamedWithThem() throws {
    let tolerate = error { _ = try plan(named("lop"), ["tolerate": "1"]) }
    #expect(tolerate.contains("--tolerate is for --method coded"))
    let scores = error { _ = try plan(named("lop"), ["scores": "x"]) }
    #expect(scores.contains("--scores is for --method robustdice and budget"))
    let on = error { _ = try plan(named("lop"), ["on": "1"]) }
    #expect(on.contains("--on is for --method solo"))
  }

  @Test(arguments: [
    (["tolerate": "x"], "--tolerate takes a whole number, 0 or more; not 'x'"),
    (["tolerate": "-1"], "--tolerate takes"), (["tolerate": ""], "--tolerate takes"),
  ])
  func aWrongValueIsNamedWithWhatIsAllowed(_ given: [String: String], _ part: String) {
    #expect(error { _ = try plan(named("coded"), given) }.contains(part))
  }

  @Test(arguments: [
    (["copies": "0.5"], "1 or more"), (["copies": "inf"], "1 or more"),
    (["memory": "10XB"], "such as 300kB"), (["memory": "-1"], "such as 300kB"),
    (["threshold": "nan"], "or inf"), (["importance": "s1,s1"], "s1, s2 and s3"),
    (["normalise": "all"], "layer, model, none"), (["deal": "fair"], "literal, paper, balanced"),
    (["copies": "2", "memory": "1MB"], "one of --threshold, --thresholds, --copies and --memory"),
  ])
  func robustDiCEChecksItsOptions(_ given: [String: String], _ part: String) {
    #expect(error { _ = try plan(named("robustdice"), given) }.contains(part))
  }

  @Test(arguments: [
    (["survive": "0"], "--survive takes a whole number, 1 or more"),
    (["reliability": "0.5,2"], "probabilities from 0 to 1"),
    (["survive": "1", "reliability": "1"], "give either --survive or --reliability"),
    (["limits": "never"], "healthy, failures"), (["multiply-adds": "0"], "such as 500k"),
  ])
  func budgetChecksItsOptions(_ given: [String: String], _ part: String) {
    #expect(error { _ = try plan(named("budget"), given) }.contains(part))
  }

  @Test func whatDoesNotGoTogetherIsSaid() {
    let shares = error { _ = try plan(named("coded"), shares: [2, 1, 1]) }
    #expect(shares.contains("equal shares") && shares.contains("lop"))
    let fill = error { _ = try plan(named("vertical"), fill: .mean) }
    #expect(fill.contains("--fill mean is for --method lop and"))
    let both = error {
      _ = try DeviceWishes(names: ["a"], count: 1).devices()
    }
    #expect(both.contains("--devices or --names"))
  }

  // MARK: The registry

  @Test("every variant is what its method makes of its options", arguments: 2...5)
  func variants(devices: Int) throws {
    for method in PlanningMethods.standard.all where method.abilities.worksAlone {
      for variant in method.variants(devices: devices, budgets: [1.5, 2]) {
        let made = try plan(method, variant.options, devices: devices)
        #expect(made.placements.count == made.sharding.layers.count, "\(variant.name)")
      }
    }
  }

  @Test("options of one name are one option, and can be told on a command line")
  func options() throws {
    var helps: [String: String] = [:]
    for method in PlanningMethods.standard.all {
      #expect(!method.summary.isEmpty)
      #expect(Set(method.options.map(\.name)).count == method.options.count, "\(method.name)")
      for option in method.options {
        #expect(!option.help.isEmpty && !option.valueName.isEmpty)
        #expect(option.name.allSatisfy { $0.isLowercase || $0 == "-" }, "\(option.name)")
        #expect(helps[option.name].map { $0 == option.help } ?? true, "\(option.name)")
        helps[option.name] = option.help
        if let standard = option.standard { try option.check(standard) }
      }
    }
  }

  @Test func sizesAreRead() {
    for (text, bytes) in [
      ("72MB", 72_000_000), ("1.5kB", 1500), ("2GB", 2_000_000_000), ("12B", 12), ("12", 12),
    ] {
      #expect(OptionKind.bytes.read(text) == bytes)
    }
    for (text, count) in [("30M", 30_000_000), ("0.5k", 500), ("2G", 2_000_000_000), ("7", 7)] {
      #expect(OptionKind.amount.read(text) == count)
    }
    for text in ["", "MB", "0", "-1kB", "1e30GB", "1 MB"] {
      #expect(OptionKind.bytes.read(text) == nil, "\(text)")
    }
  }
}
