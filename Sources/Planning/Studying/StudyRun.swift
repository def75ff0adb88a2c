package import Evaluation
package import Foundations
import Imaging
package import ModelCards
package import ModelGraph
package import Plan
package import Resilience
package import Tensors

/// What failures cost plans of one model: one masked model for all of them.
package struct StudyRun {
  private let folders: [PlanFolder]
  private let preprocessing: Preprocessing
  private let values: [ExchangedValue]
  private let model: MaskedModel
  private let measuring: Measuring
  private let head: Head

  /// Prepares a study.
  ///
  /// - Parameters:
  ///   - graph: the model with its weights, from which the plans were made.
  ///   - weights: how weights are stored; as the plans say if nil.
  /// - Throws: `unsupported` for a model without images or accuracy, `mismatch` for plans that cannot be
  ///   studied together.
  package init(
    folders: [PlanFolder], graph: Graph, weights: WeightType? = nil, measuring: Measuring
  ) throws(MartletError) {
    let first = folders[0].plan
    guard let preprocessing = first.model.preprocessing, graph.inputs.count == 1 else {
      throw MartletError(
        .unsupported, "the model's input is not an image", context: ["plan": folders[0].path])
    }
    for folder in folders { try folder.plan.head.requireAccuracy(for: "martlet study") }
    for folder in folders.dropFirst() where folder.plan.head != first.head {
      throw MartletError(
        .mismatch, "the plans read the model's output in different ways",
        context: ["plans": "\(folders[0].path), \(folder.path)"],
        hint: "run martlet plan again with the same card")
    }
    head = first.head
    for folder in folders where folder.plan.model.preprocessing != preprocessing {
      throw MartletError(
        .mismatch, "the plans prepare images in different ways",
        context: ["plans": "\(folders[0].path), \(folder.path)"],
        hint: "run martlet plan again with the same --preprocessing")
    }
    // Plans that cut a model in different places miss what is lost in different places.
    for folder in folders.dropFirst()
    where (first.sharding.isVertical || folder.plan.sharding.isVertical)
      && folder.plan.sharding.layers != first.sharding.layers
      || folder.plan.sharding.strips != first.sharding.strips
      || folder.plan.sharding.pairs != first.sharding.pairs
    {
      throw MartletError(
        .mismatch,
        "plans with blocks, row strips or pairs are studied with plans of the same cuts only",
        context: ["plans": "\(folders[0].path), \(folder.path)"],
        hint: "study each by itself, on the same images")
    }
    let stored = weights ?? first.weights
    for folder in folders where weights == nil && folder.plan.weights != stored {
      throw MartletError(
        .mismatch, "the plans store weights in different types",
        context: ["plans": "\(folders[0].path), \(folder.path)"],
        hint: "study each by itself, or give --weights for all")
    }
    values = ExchangedValue.all(of: first.graph, first.sharding)
    model = try MaskedModel(
      batching: try graph.roundingWeights(to: stored), points: values.map(\.point),
      hasNulls: first.sharding.isVertical)
    self.folders = folders
    self.preprocessing = preprocessing
    self.measuring = measuring
  }

  /// The failure sets of each plan; `failures` gives the most failures for a number of devices.
  package func failureSets(_ failures: (Int) -> Int) throws(MartletError) -> [[[Int]]] {
    var result: [[[Int]]] = []
    for folder in folders {
      let devices = folder.plan.devices.count
      do {
        result.append(try FailureSets.upTo(failures(devices), devices: devices))
      } catch {
        throw error.adding("plan", folder.path)
      }
    }
    return result
  }

  /// What to study of each plan.
  ///
  /// - Parameters:
  ///   - fill: what stands in for lost neurons; the plan's own fill if nil.
  ///   - wire: how parts travel: `auto` as the plan says; if nil the same, where it says something.
  /// - Throws: `invalidArgument` for `auto` and a plan that does not say how parts travel.
  package func subjects(
    _ sets: [[[Int]]], fill: Plan.Fill?, wire: WireChoice? = nil
  ) throws(MartletError) -> [FailureStudy.Subject] {
    if wire == .auto, let silent = folders.first(where: { $0.plan.wire.isEmpty }) {
      throw MartletError(
        .invalidArgument, "the plan does not say how parts travel",
        context: ["plan": silent.path],
        hint: "martlet plan --wire auto --calibration IMAGES makes one that does")
    }
    var result: [FailureStudy.Subject] = []
    for (folder, sets) in zip(folders, sets) {
      let plan = folder.plan
      result.append(
        FailureStudy.Subject(
          plan: folder.id, method: plan.method, devices: plan.devices.map(\.name),
          placements: plan.placements, sets: sets, fill: fill ?? plan.studiedFill(of: values),
          wire: WireRounding(
            plan, points: values.map(\.point), types: plan.wireTypes(wire?.type?.elementType)),
          guess: plan.sharding.isVertical ? plan.guess : nil))
    }
    return result
  }

  /// Labelled images, evenly thinned out to at most `limit`.
  ///
  /// - Parameter unreadable: called with the name of each image that cannot be read, and the reason.
  package func images(
    _ paths: [String], labelling: ImageLabelling, limit: Int?,
    unreadable: (String, MartletError) -> Void
  ) throws(MartletError) -> LabelledImages {
    try measuring.readable(
      try LabelledImages(
        try ImageSet.open(paths: paths, labelling: labelling), preprocessing: preprocessing,
        limit: limit), unreadable: unreadable)
  }

  /// Images that need no labels.
  ///
  /// - Parameter unreadable: called with the name of each image that cannot be read, and the reason.
  package func calibrationImages(
    _ paths: [String], unreadable: (String, MartletError) -> Void
  ) throws(MartletError) -> LabelledImages {
    try measuring.readable(
      LabelledImages(
        unlabelled: try ImageSet.open(paths: paths, labelling: .none),
        preprocessing: preprocessing), unreadable: unreadable)
  }

  /// What stands in for each exchanged channel.
  ///
  /// - Parameter images: to measure with; asked for only where the kind needs them.
  package func fill(
    _ kind: Plan.Fill.Kind, images: () throws(MartletError) -> LabelledImages
  ) throws(MartletError) -> Plan.Fill {
    ExchangedValue.fill(
      try measuring.fill(kind, of: model, what: "calibration image", images: images), of: values)
  }

  /// Classifies all images under all failure sets.
  package func study(
    _ subjects: [FailureStudy.Subject], _ images: LabelledImages, keepsPredictions: Bool
  ) throws(MartletError) -> FailureStudy.Result {
    let study = FailureStudy(model: model, values: values, subjects: subjects, head: head)
    return try measuring.run(study, images, keepsPredictions: keepsPredictions)
  }

  /// A plan's table with what the frame costs in which the devices of each failure set die.
  ///
  /// - Parameters:
  ///   - subject: what `subjects` gave for the plan.
  ///   - folder: the plan's.
  ///   - fill: what stands in for lost neurons; the plan's own fill if nil.
  ///   - replicas: what copies and parity do in that frame.
  ///   - rowFill: what stands in for lost rows.
  ///   - table: what `study` found of later frames.
  ///   - frames: for the plan as it is studied: what is called once on each thread and gives what runs
  ///     frames of it.
  package func addLoss(
    to table: FailureTable, _ subject: FailureStudy.Subject, of folder: PlanFolder,
    fill: Plan.Fill?, replicas: Replicas, rowFill: Plan.RowFill, _ images: LabelledImages,
    frames: (Plan) throws(MartletError) -> @Sendable () throws(MartletError) -> LossStudy.Frame
  ) throws(MartletError) -> FailureTable {
    let plan = try filled(folder.plan, with: fill)
    // A frame whose device dies goes to another one.
    if plan.dispatchesFrames, replicas == .standby {
      return try table.adding(.init(replicas: replicas, rowFill: rowFill, rows: table.rows))
    }
    let rows = try studyLoss(subject, of: plan, images, makeFrame: try frames(plan))
    return try table.adding(.init(replicas: replicas, rowFill: rowFill, rows: rows))
  }

  /// Classifies all images in the frame in which each failure set of a plan dies.
  ///
  /// - Parameters:
  ///   - plan: the subject's, see `filled`.
  ///   - makeFrame: called once on each thread; runs frames of `plan`.
  /// - Returns: a row for each failure set.
  private func studyLoss(
    _ subject: FailureStudy.Subject, of plan: Plan, _ images: LabelledImages,
    makeFrame: @Sendable () throws(MartletError) -> LossStudy.Frame
  ) throws(MartletError) -> [FailureTable.Row] {
    let study = LossStudy(
      sets: subject.sets, head: head, guess: subject.guess,
      inputElements: plan.graph.inputs.first.map { plan.graph[$0].shape.count } ?? 0,
      outputs: plan.graph.outputs.first.map { plan.graph[$0].shape.count } ?? 0)
    return try measuring.run(study, images, makeFrame: makeFrame)
  }

  /// A plan of the study whose devices fill lost neurons as the study does.
  private func filled(
    _ plan: Plan, with fill: Plan.Fill?
  ) throws(MartletError) -> Plan {
    guard let fill else { return plan }
    return try plan.filled(with: fill, of: values)
  }
}

extension Plan {
  /// The plan's own fill, of the exchanges that a study has.
  fileprivate func studiedFill(of values: [ExchangedValue]) -> Fill {
    guard let constants = fill.constants else { return fill }
    let numbers = channelExchanges
    return Fill(
      fill.kind,
      constants: values.map { value in
        let channels = graph[value.point.value].shape[value.point.axis]
        return numbers[value.point.value].map { constants[$0] }
          ?? [Float](repeating: 0, count: channels)
      })
  }

  /// The same plan with a study's fill.
  fileprivate func filled(
    with other: Fill, of values: [ExchangedValue]
  ) throws(MartletError) -> Plan {
    var constants = other.constants.map { _ in [[Float]](repeating: [], count: exchanges.count) }
    for (value, channels) in zip(values, other.constants ?? []) {
      if let number = channelExchanges[value.point.value] { constants?[number] = channels }
    }
    let plan = try Plan(
      model: model, method: method, devices: devices, graph: graph, sharding: sharding,
      placements: placements, fill: Fill(other.kind, constants: constants)
    ).storing(weights)
    return wire.isEmpty ? plan : try plan.travelling(as: wire)
  }

  /// The exchanges for whose lost channels a fill has constants, by value.
  private var channelExchanges: [ValueID: Int] {
    Dictionary(
      exchanges.indices.filter { exchanges[$0].takesConstants }.map { (exchanges[$0].value, $0) },
      uniquingKeysWith: { first, _ in first })
  }
}
