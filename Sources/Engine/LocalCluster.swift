package import Foundations
package import Kernels
import ModelGraph
package import Plan
package import Resilience
package import Tensors
package import WireProtocol

/// All devices of a plan in one process, with a failure mask: the same programs that workers run,
/// joined by copies instead of a broker. To check workers and studies against.
package final class LocalCluster {
  private let plan: Plan
  private let devices: [DeviceEngines]
  private let client: DeviceEngines
  /// By exchange.
  private let wire: [ElementType]
  private var current: Flight?

  /// The programs of one attendance and their working memory.
  private struct Flight {
    let attendance: Attendance
    let engines: [DeviceEngine]
    let client: DeviceEngine
    let executions: [Execution]
    let clientExecution: Execution
  }

  /// - Parameters:
  ///   - devices: one per device of the plan, in order.
  ///   - client: the client's programs.
  ///   - wire: how parts are rounded on their way, a type that they may have; as the plan says if nil.
  package init(devices: [DeviceEngines], client: DeviceEngines, wire: ElementType? = nil) {
    precondition(devices.count == client.plan.devices.count, "one set of engines per device")
    plan = client.plan
    self.wire = plan.wireTypes(wire)
    precondition(self.wire.allSatisfy(PackedElements.isSupported), "parts do not travel so")
    self.devices = devices
    self.client = client
  }

  /// One frame with some devices missing: others stand in, what is lost is filled.
  ///
  /// - Parameters:
  ///   - inputs: the model's inputs, in order.
  ///   - alive: by device.
  ///   - replicas: with `.active`, every device runs the program in which all copies and all parity
  ///     are sent, and what is missing is found out at each exchange.
  /// - Returns: the model's outputs, in order; an empty array where nothing reaches the last layer.
  package func run(
    _ inputs: [Tensor], alive: [Bool], replicas: Replicas = .standby
  ) throws(MartletError) -> [Tensor] {
    try run(
      inputs, attendance: Attendance(alive: alive, replicas: replicas), report: FillReport())
  }

  /// One frame as its client would get it, with what was missing on the way to it.
  ///
  /// - Parameters:
  ///   - ticket: the frame's number, counted from zero; with `guessSeed` it decides a guess.
  ///   - alive: by device.
  ///   - study: what is known of the plan's accuracy without some devices.
  ///   - now: read before and after for the latency, which is 0 unless a clock is given.
  /// - Throws: what `run` throws.
  package func answer(
    _ input: Tensor, ticket: Int, alive: [Bool], replicas: Replicas = .standby,
    study: FailureTable? = nil, guessSeed: UInt64 = 0, now: () -> MonotonicTime = { .zero }
  ) throws(MartletError) -> Answer {
    let start = now()
    let attendance = Attendance(alive: alive, replicas: replicas)
    let (outputs, report) = try frame([input], attendance: attendance, lacking: FillReport())
    let latency = now().duration(since: start)
    let guess = outputs.isEmpty ? plan.guessedAnswer(seed: guessSeed, frame: UInt64(ticket)) : nil
    return Answer(
      ticket: ticket, frame: UInt64(ticket) + 1,
      outputs: guess?.outputs ?? outputs, guess: guess?.label,
      fills: Answer.fills(report, of: plan, attendance: attendance),
      attendance: attendance, awaited: alive, report: report,
      devices: plan.devices.map(\.name),
      present: zip(plan.devices, alive).compactMap { $1 ? $0.name : nil },
      expectedAccuracy: study?.expectedAccuracy(alive: alive)?.accuracy,
      reliability: Reliability(of: plan, alive: alive, study: study), latency: latency,
      attempts: 1)
  }

  /// One frame as it went elsewhere: each device lacks exactly the parts that the report says it
  /// lacked, and those of absent devices.
  ///
  /// - Parameters:
  ///   - inputs: the model's inputs, in order.
  ///   - attendance: who was to take part.
  ///   - report: who lacked what.
  /// - Returns: the model's outputs, in order; bit for bit those of the frame.
  package func run(
    _ inputs: [Tensor], attendance: Attendance, report: FillReport
  ) throws(MartletError) -> [Tensor] {
    try frame(inputs, attendance: attendance, lacking: report).outputs
  }

  /// The frame in which devices die, before they have sent any of it: everybody counts on them, so that
  /// nobody stands in who does not do so always, and each exchange finds out what is missing.
  ///
  /// - Parameters:
  ///   - inputs: the model's inputs, in order.
  ///   - dying: device numbers.
  ///   - replicas: whether copies and parity are there all the same.
  /// - Returns: the model's outputs, in order, none where nothing reaches the last layer; and who lacked
  ///   what.
  package func run(
    _ inputs: [Tensor], losing dying: Set<Int>, replicas: Replicas = .standby
  ) throws(MartletError) -> (outputs: [Tensor], missing: FillReport) {
    try frame(
      inputs, attendance: .everyone(devices.count, replicas: replicas), lacking: FillReport(),
      silent: dying)
  }

  /// One frame.
  ///
  /// - Parameters:
  ///   - report: parts that did not arrive, besides those of absent devices.
  ///   - silent: devices that are counted on and send nothing.
  /// - Returns: the model's outputs, and all that was missing.
  private func frame(
    _ inputs: [Tensor], attendance: Attendance, lacking report: FillReport,
    silent: Set<Int> = []
  ) throws(MartletError) -> (outputs: [Tensor], missing: FillReport) {
    precondition(attendance.roles.count == devices.count, "one role per device")
    let flight = try prepare(attendance)
    var missing = report
    var parts: [[Int: [Float]]] = Array(repeating: [:], count: plan.exchanges.count)
    let members = attendance.roles.indices.filter {
      attendance[$0] != .absent && !silent.contains($0)
    }
    for device in members {
      try flight.engines[device].setInputs(inputs, of: flight.executions[device])
    }
    try flight.client.setInputs(inputs, of: flight.clientExecution)
    // By device, the client last.
    var nulls = [Set<ValueID>](repeating: [], count: devices.count + 1)

    // Each turn advances every device whose boundary is complete. The plan numbers stages over the whole
    // model, so some device can always go on.
    var next = [Int](repeating: 0, count: devices.count)
    var open = members
    while !open.isEmpty {
      open = open.filter { device in
        let (engine, execution) = (flight.engines[device], flight.executions[device])
        let position = next[device]
        if position > 0 {
          let awaited = engine.stages[position - 1].gatherings
          let isComplete = awaited.allSatisfy { gathering in
            gathering.parts.allSatisfy {
              attendance[$0.device] == .absent || silent.contains($0.device)
                || $0.device == device || parts[gathering.exchange][$0.device] != nil
            }
          }
          guard isComplete else { return true }
          for gathering in awaited {
            let fills = place(
              gathering, for: engine, in: execution, parts, lacking: report,
              nulls: &nulls[device])
            for fill in fills { missing.insert(fill) }
          }
        }
        execution.run(stage: position, nulls: &nulls[device])
        for publication in engine.stages[position].publications {
          // A null part has no elements.
          guard !nulls[device].contains(publication.value) else {
            parts[publication.exchange][device] = []
            continue
          }
          parts[publication.exchange][device] = engine.withOwnPart(publication, in: execution) {
            Array($0)
          }
        }
        next[device] = position + 1
        return position + 1 < engine.stages.count
      }
    }
    for (position, stage) in flight.client.stages.enumerated() {
      flight.clientExecution.run(stage: position, nulls: &nulls[devices.count])
      for gathering in stage.gatherings {
        let fills = place(
          gathering, for: flight.client, in: flight.clientExecution, parts, lacking: report,
          nulls: &nulls[devices.count])
        for fill in fills { missing.insert(fill) }
      }
    }
    if flight.client.program.graph.outputs.contains(where: nulls[devices.count].contains) {
      return ([], missing)
    }
    return (flight.client.outputs(of: flight.clientExecution), missing)
  }

  private func prepare(_ attendance: Attendance) throws(MartletError) -> Flight {
    if let current, current.attendance == attendance { return current }
    let engines = try devices.map { set throws(MartletError) in
      try set.engine(for: attendance)
    }
    let client = try client.engine(for: attendance)
    let flight = Flight(
      attendance: attendance, engines: engines, client: client,
      executions: try engines.map { engine throws(MartletError) in try Execution(engine.compiled) },
      clientExecution: try Execution(client.compiled))
    current = flight
    return flight
  }

  /// - Returns: what the receiver went on without.
  private func place(
    _ gathering: DeviceProgram.Gathering, for engine: DeviceEngine, in execution: Execution,
    _ parts: [[Int: [Float]]], lacking report: FillReport,
    nulls: inout Set<ValueID>
  ) -> [FillReport.Lack] {
    let receiver = engine.device ?? devices.count
    var parts = parts[gathering.exchange]
    if let device = engine.device, let own = engine.ownValue(of: gathering) {
      parts[device] = nulls.contains(own) ? [] : execution.withValue(own) { Array($0) }
    }
    let sent = parts.filter { part in
      // A part without elements is the null vector.
      !part.value.isEmpty
        && !report.contains(exchange: gathering.exchange, device: part.key, receiver: receiver)
    }
    var missing: [Int] = []
    for (number, slot) in gathering.slots.enumerated() {
      guard let source = slot.candidates.first(where: { sent[$0] != nil }),
        let part = gathering.part(of: source), var elements = sent[source]
      else {
        missing.append(number)
        continue
      }
      elements.withUnsafeMutableBufferPointer { elements in
        if source != engine.device {
          PackedElements.roundTrip(elements, as: wire[gathering.exchange])
        }
        for piece in part.pieces where piece.slot == number {
          engine.place(
            UnsafeBufferPointer(elements), part, piece, gathering: gathering, in: execution)
        }
      }
    }
    let lost = engine.complete(gathering, missing: missing, in: execution, nulls: &nulls)
    // A device's part is lacking where neither it nor anybody preferred to it has sent one.
    let lacking = gathering.parts.map(\.device).filter { device in
      gathering.slots.contains { slot in
        guard let rank = slot.candidates.firstIndex(of: device) else { return false }
        return !slot.candidates[...rank].contains { sent[$0] != nil }
      }
    }
    let filled = Set(lost.map { gathering.slots[$0].candidates[0] })
    return lacking.map { device in
      FillReport.Lack(
        exchange: gathering.exchange, device: device, receiver: receiver,
        reason: parts[device]?.isEmpty == true ? .null : .lost,
        isCovered: !filled.contains(device))
    }
  }
}

extension DeviceEngine {
  /// Copies the model's inputs into an execution.
  ///
  /// - Throws: `invalidShape` when the number of inputs or a shape differs from the model's.
  package func setInputs(_ inputs: [Tensor], of execution: Execution) throws(MartletError) {
    let ids = program.graph.inputs
    guard inputs.count == ids.count else {
      throw MartletError(
        .invalidShape, "the model takes \(ids.count) inputs, \(inputs.count) were given")
    }
    for (tensor, id) in zip(inputs, ids) {
      guard let values = tensor.floats, tensor.shape == program.graph[id].shape else {
        throw MartletError(
          wrongInput: tensor, name: program.graph[id].name, expected: program.graph[id].shape)
      }
      execution.withMutableValue(id) { target in _ = target.update(fromContentsOf: values) }
    }
  }

  /// The model's outputs after the last stage has run; for a client's program.
  package func outputs(of execution: Execution) -> [Tensor] {
    program.graph.outputs.map { id in
      Tensor(program.graph[id].shape, execution.withValue(id) { Array($0) })
    }
  }
}

extension MartletError {
  /// A tensor that is not what the model takes.
  package init(wrongInput tensor: Tensor, name: String, expected: Shape) {
    self.init(
      .invalidShape, "an input has the wrong shape or type",
      context: [
        "input": name, "expected": "\(expected)",
        "given": "\(tensor.shape) \(tensor.elementType.rawValue)",
      ])
  }
}
