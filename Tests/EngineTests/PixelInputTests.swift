import Engine
import Foundations
import ModelCards
import ModelGraph
import Plan
import Processes
import Tensors
import TestSupport
import Testing
import WireProtocol

/// Frames that come as pixels to a worker whose model takes images.
@Suite struct PixelInputTests {
  private static let shape: Shape = [1, 3, 6, 4]

  private static let preprocessing = Preprocessing(
    channels: 3, crop: [6, 4], mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

  /// Runs `body` with a worker, its plan's id, and what its model makes of an input.
  private func withWorker(
    takesImages: Bool = true, shape: Shape = PixelInputTests.shape,
    preprocessing: Preprocessing = PixelInputTests.preprocessing,
    _ body: (WorkerCore, PlanFolder, LocalCluster) throws -> Void
  ) throws {
    try TemporaryFolder.with(prefix: "martlet-test") { path in
      var builder = GraphBuilder(name: "picture")
      var random = SeededGenerator(3)
      let count = shape.count
      let input = builder.addInput(name: "x", shape: shape)
      let flat = try builder.add(.reshape, [input], name: "flat", shape: [1, count])
      let weights = builder.add(
        constant: Tensor(
          [5, count], (0..<5 * count).map { _ in Float.random(in: -1...1, using: &random) }),
        name: "weight")
      try builder.addOutput(
        try builder.add(.dense(Dense()), [flat, weights], name: "y"), name: "y")
      let folder = try makePlan(
        builder.graph, devices: 1, preprocessing: takesImages ? preprocessing : nil,
        path: path + "/plan")
      let engines = try DeviceEngines(folder: folder, device: 0)
      let cluster = LocalCluster(
        devices: [engines], client: try DeviceEngines(folder: folder, device: nil))
      let worker = WorkerCore(
        engines: engines, planID: folder.id, device: 0, limits: WorkerCore.Limits())
      try body(worker, folder, cluster)
    }
  }

  private func pixels(_ seed: UInt64) -> [UInt8] {
    var random = SeededGenerator(seed)
    return (0..<Self.shape.count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  private func messages(
    _ pixels: [UInt8], frame: UInt64, plan: String, shape: Shape = [1, 6, 4, 3],
    isPacking: Bool = false
  ) throws -> [[UInt8]] {
    var header = try TensorHeader(
      frame: frame, epoch: 1, sequence: frame, plan: plan, client: "cam", device: "cam",
      shape: shape)
    header.note = InputNote(attendance: .everyone(1), oldest: frame).text
    var encoder = try TensorEncoder(elementType: .float32)
    var result: [[UInt8]] = []
    pixels.withUnsafeBufferPointer {
      encoder.encodePixels(header, $0, isPacking: isPacking) { result.append($0) }
    }
    return result
  }

  private func part(_ worker: WorkerCore, at now: MonotonicTime) -> [Float]? {
    var part: [Float]?
    while worker.work(clock: { now }, publish: { _, _, _, values, _ in part = Array(values) })
      == nil
    {}
    return part
  }

  @Test func pixelsGiveTheBitsThatFloatsGive() throws {
    try withWorker { worker, folder, cluster in
      var now = MonotonicTime(nanoseconds: 1_000_000_000)
      for frame in 1...6 as ClosedRange<UInt64> {
        // Flat ones are packed.
        let pixels =
          frame % 2 == 0 ? self.pixels(frame) : [UInt8](repeating: 40, count: Self.shape.count)
        let tensor = Tensor(
          Self.shape, pixels.withUnsafeBufferPointer { Self.preprocessing.normalised($0) })
        let planes = try #require(tensor.floats)
        for index in pixels.indices {
          let (place, channel) = (index / 3, index % 3)
          let expected =
            (Float(pixels[index]) * Self.preprocessing.scale - Self.preprocessing.mean[channel])
            / Self.preprocessing.deviation[channel]
          #expect(planes[channel * 24 + place].bitPattern == expected.bitPattern)
        }
        let expected = try cluster.run([tensor], alive: [true])[0].floats ?? []
        for message in try messages(pixels, frame: frame, plan: folder.id, isPacking: true) {
          #expect(worker.input(message, client: "cam", now: now))
        }
        #expect(try #require(part(worker, at: now)).map(\.bitPattern) == expected.map(\.bitPattern))
        now = now.adding(milliseconds: 10)
      }
      #expect(worker.drops.totals.isEmpty)
    }
  }

  /// Of a model that takes channels last, numbers stand where the pixels are.
  @Test func pixelsWithChannelsLast() throws {
    var last = Self.preprocessing
    last.layout = .channelsLast
    try withWorker(shape: [1, 6, 4, 3], preprocessing: last) { worker, folder, cluster in
      let now = MonotonicTime(nanoseconds: 1_000_000_000)
      let pixels = pixels(7)
      let values = pixels.withUnsafeBufferPointer { last.normalised($0) }
      for index in pixels.indices {
        let expected =
          (Float(pixels[index]) * last.scale - last.mean[index % 3]) / last.deviation[index % 3]
        #expect(values[index].bitPattern == expected.bitPattern)
      }
      let expected = try cluster.run([Tensor([1, 6, 4, 3], values)], alive: [true])[0].floats
      for message in try messages(pixels, frame: 1, plan: folder.id) {
        #expect(worker.input(message, client: "cam", now: now))
      }
      #expect(part(worker, at: now) == expected)
    }
  }

  /// The shape of an input says how images are laid out, and channels are first if they may be.
  @Test func usualLayouts() throws {
    #expect(Preprocessing.usual(for: [1, 3, 8, 8])?.layout == nil)
    #expect(Preprocessing.usual(for: [1, 3, 8, 3])?.outputShape == [1, 3, 8, 3])
    let last = try #require(Preprocessing.usual(for: [1, 224, 160, 3]))
    #expect(last.layout == .channelsLast && last.outputShape == [1, 224, 160, 3])
    let grey = try #require(Preprocessing.usual(for: [1, 28, 28, 1]))
    #expect(grey.layout == .channelsLast && grey.outputShape == [1, 28, 28, 1])
    // Features over time, and no image at all.
    #expect(Preprocessing.usual(for: [1, 49, 10, 1]) == nil)
    #expect(Preprocessing.usual(for: [1, 8, 8, 4]) == nil)
  }

  /// A card without a layout gets the model's, and one that says another is refused.
  @Test func cardsFollowTheModel() throws {
    var builder = GraphBuilder(name: "picture")
    let input = builder.addInput(name: "x", shape: [1, 6, 4, 3])
    try builder.addOutput(try builder.add(.activation(.relu), [input], name: "y"), name: "y")
    var card = ModelCard()
    card.preprocessing = Self.preprocessing
    #expect(try card.preprocessing(for: builder.graph)?.layout == .channelsLast)
    card.preprocessing?.layout = .channelsFirst
    #expect(throws: MartletError.self) { try card.preprocessing(for: builder.graph) }
  }

  /// Whether a frame comes as pixels is the client's choice, each time.
  @Test func pixelsAndFloatsTakeTurns() throws {
    try withWorker { worker, folder, cluster in
      let now = MonotonicTime(nanoseconds: 1_000_000_000)
      for frame in 1...6 as ClosedRange<UInt64> {
        let pixels = pixels(frame)
        let values = pixels.withUnsafeBufferPointer { Self.preprocessing.normalised($0) }
        if frame % 2 == 0 {
          for message in try messages(pixels, frame: frame, plan: folder.id) {
            #expect(worker.input(message, client: "cam", now: now))
          }
        } else {
          var header = try TensorHeader(
            frame: frame, epoch: 1, sequence: frame, plan: folder.id, client: "cam", device: "cam",
            shape: Self.shape)
          header.note = InputNote(attendance: .everyone(1), oldest: frame).text
          var encoder = try TensorEncoder(elementType: .float32)
          values.withUnsafeBufferPointer {
            encoder.encode(header, $0) { #expect(worker.input($0, client: "cam", now: now)) }
          }
        }
        let expected = try cluster.run([Tensor(Self.shape, values)], alive: [true])[0].floats
        #expect(part(worker, at: now) == expected, "frame \(frame)")
      }
    }
  }

  @Test func picturesOfAnotherSizeAreRefused() throws {
    let now = MonotonicTime(nanoseconds: 1_000_000_000)
    try withWorker { worker, folder, _ in
      for shape: Shape in [[1, 4, 6, 3], [1, 6, 4, 1], [1, 3, 6, 4], [2, 6, 4, 3]] {
        for message in try messages(
          [UInt8](repeating: 1, count: shape.count), frame: 1, plan: folder.id, shape: shape)
        {
          #expect(!worker.input(message, client: "cam", now: now), "\(shape)")
        }
      }
      #expect(worker.drops.totals == [.wrongShape: 4])
    }
    try withWorker(takesImages: false) { worker, folder, _ in
      for message in try messages(pixels(1), frame: 1, plan: folder.id) {
        #expect(!worker.input(message, client: "cam", now: now))
      }
      #expect(worker.drops.totals == [.wrongShape: 1])
    }
  }

  /// A part is never pixels.
  @Test func partsOfPixelsAreGarbage() throws {
    try simulate { simulation in
      let point = simulation.model.folder.plan.exchanges[0]
      let header = try TensorHeader(
        frame: 1, epoch: 100, plan: simulation.model.folder.id, client: "cam", layer: point.id,
        device: "d1", shape: [1, 1, 1, 1])
      var encoder = try TensorEncoder(elementType: .float32)
      [UInt8(3)].withUnsafeBufferPointer {
        encoder.encodePixels(header, $0, isPacking: false) { message in
          simulation.workers[0].part(
            message, on: .activation(layer: point.id, device: "d1"), now: simulation.now)
        }
      }
      #expect(simulation.workers[0].drops.totals[.garbage] == 1)
    }
  }

  /// Devices of older versions know no pixels, and say nothing of it.
  @Test func aClientSendsPixelsOnlyIfAllThatTakePartTakeThem() throws {
    try simulate { simulation in
      let (client, plan) = (simulation.client, simulation.model.folder.id)
      func describe(_ device: String, _ inputs: [String]?) {
        var description = DeviceDescription(
          version: "1", methods: [], plan: plan, parts: [],
          hardware: .init(architecture: "x", cores: 1, memoryBytes: 1, system: "s"))
        description.inputs = inputs
        #expect(client.description(description, of: device) == nil)
      }
      func isTaken() -> Bool { client.takePixels(client.roles(now: simulation.now)) }
      #expect(!isTaken())
      describe("d0", ["F32", "U8"])
      describe("d1", ["U8"])
      describe("gateway", ["U8"])
      #expect(!isTaken())
      describe("d2", nil)
      #expect(!isTaken())
      // One that is not there does not matter.
      simulation.announce(2, .offline)
      #expect(isTaken())
      simulation.epochs[2] += 1
      simulation.announce(2)
      #expect(!isTaken())
      describe("d2", ["F32", "F16", "I8", "U8"])
      #expect(isTaken())
      describe("d1", ["F32"])
      #expect(!isTaken())
    }
  }
}
