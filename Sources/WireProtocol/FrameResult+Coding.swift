package import Foundations

extension FrameResult {
  /// The most bytes of a payload.
  package static let maximumBytes = 256 * 1024
  /// The most bytes of `image`.
  package static let maximumImageBytes = 4096
  /// The most parts in `degraded`.
  package static let maximumDegraded = 2048

  /// Checks ranges and lengths; see `WireMessage`.
  package func check() throws(MartletError) {
    try Field.count(schemaVersion ?? 1, "schema_version", atMost: 1 << 20)
    try Field.text(requestID ?? "", "request_id")
    try Field.text(time ?? "", "time", atMost: 64)
    try Field.text(image ?? "", "image", atMost: FrameResult.maximumImageBytes)
    try Field.text(task ?? "", "task", atMost: 32)
    try Field.text(refusal ?? "", "refusal", atMost: 64 * 1024)
    try Field.number(frame, "frame")
    try Field.count(label ?? 0, "label", atMost: 1 << 30)
    try Field.text(labelName ?? "", "label_name")
    try Field.count(top5.count, "top5", atMost: 5)
    for candidate in top5 { try candidate.check("top5") }
    try Field.count(labels?.count ?? 0, "labels", atMost: 100)
    for candidate in labels ?? [] { try candidate.check("labels") }
    try Field.count(outputs?.count ?? 0, "outputs", atMost: 1024)
    for output in outputs ?? [] { try output.check() }
    try Field.share(confidence, "confidence")
    try Field.measure(latencyMilliseconds, "latency_ms")
    try Field.count(degraded.count, "degraded", atMost: FrameResult.maximumDegraded)
    for part in degraded {
      try Field.identifier(part.layer, "degraded.layer")
      try Field.identifier(part.device, "degraded.device")
      try Field.count(part.filledBy?.count ?? 0, "degraded.filled_by", atMost: 1025)
      for name in part.filledBy ?? [] { try Field.identifier(name, "degraded.filled_by") }
      try Field.count(part.neurons ?? 0, "degraded.neurons", atMost: 1 << 40)
    }
    try Field.count(degradedOmitted ?? 0, "degraded_omitted", atMost: Int(Epoch.maximum))
    try Field.count(filledNeurons, "filled_neurons", atMost: 1 << 40)
    try Field.number(epoch, "epoch")
    try Field.number(sequence, "seq")
    try Field.count(truth ?? 0, "truth", atMost: 1 << 30)
    try Field.text(truthName ?? "", "truth_name")
    try Field.text(plan ?? "", "plan", atMost: TensorHeader.maximumPlanBytes)
    try Field.count(alive?.count ?? 0, "alive", atMost: 1024)
    for device in alive ?? [] { try Field.identifier(device, "alive") }
    try Field.count(present.count, "present", atMost: 256)
    for device in present { try Field.identifier(device, "present") }
    try Field.share(expectedAccuracy, "expected_accuracy")
    try Field.count(attempts ?? 0, "attempts", atMost: 1 << 30)
  }

  /// What version 1 called otherwise.
  private enum FormerKeys: String, CodingKey { case expected }

  /// Reads a message of either version.
  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    func optional<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
      try fields.decodeIfPresent(Value.self, forKey: key)
    }
    self.init(
      frame: try fields.decode(UInt64.self, forKey: .frame), label: try optional(.label),
      labelName: try optional(.labelName),
      top5: try fields.decode([Candidate].self, forKey: .top5),
      confidence: try optional(.confidence),
      latencyMilliseconds: try fields.decode(Double.self, forKey: .latencyMilliseconds),
      degraded: try fields.decode([Degradation].self, forKey: .degraded),
      filledNeurons: try fields.decode(Int.self, forKey: .filledNeurons),
      guessed: try optional(.guessed),
      present: try fields.decode([String].self, forKey: .present),
      expectedAccuracy: try optional(.expectedAccuracy))
    schemaVersion = try optional(.schemaVersion)
    status = try optional(.status)
    degradedOmitted = try optional(.degradedOmitted)
    requestID = try optional(.requestID)
    time = try optional(.time)
    image = try optional(.image)
    task = try optional(.task)
    truth = try optional(.truth)
    if truth == nil {
      truth = try decoder.container(keyedBy: FormerKeys.self)
        .decodeIfPresent(Int.self, forKey: .expected)
    }
    truthName = try optional(.truthName)
    labels = try optional(.labels)
    outputs = try optional(.outputs)
    reliable = try optional(.reliable)
    refusal = try optional(.refusal)
    alive = try optional(.alive)
    epoch = try fields.decode(UInt64.self, forKey: .epoch)
    sequence = try fields.decode(UInt64.self, forKey: .sequence)
    plan = try optional(.plan)
    attempts = try optional(.attempts)
  }
}

extension FrameResult.Candidate {
  func check(_ list: String) throws(MartletError) {
    try Field.count(label, list + ".label", atMost: 1 << 30)
    try Field.text(labelName ?? "", list + ".label_name")
    try Field.share(confidence, list + ".confidence")
  }
}

extension FrameResult.Output {
  func check() throws(MartletError) {
    try Field.text(name, "outputs.name")
    try Field.count(shape.count, "outputs.shape", atMost: 64)
    for extent in shape { try Field.count(extent, "outputs.shape", atMost: 1 << 40) }
    try Field.count(notFinite, "outputs.not_finite", atMost: 1 << 40)
    for value in [minimum, mean, maximum] {
      try Field.require(value?.isFinite ?? true, "outputs", "\(value ?? 0)")
    }
  }
}

extension Field {
  /// A number from 0 to 1, or none.
  static func share(_ value: Double?, _ field: String) throws(MartletError) {
    try require(value.map((0...1).contains) ?? true, field, "\(value ?? 0)")
  }
}
