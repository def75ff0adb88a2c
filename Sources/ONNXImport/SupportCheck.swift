import Foundations

/// Finds all operators of a model that cannot be read, before anything else of it is read.
struct SupportCheck {
  /// The nodes of one operator.
  private struct Missing {
    let domain: String
    let kind: String
    /// Whether it could be read if its operands were constants.
    let isConstantOnly: Bool
    var nodes: [String] = []

    var title: String {
      (domain.isEmpty ? kind : "\(domain).\(kind)") + (isConstantOnly ? " on computed values" : "")
    }
  }

  private var missing: [Missing] = []
  private let opset: Int
  private let nodes: Int

  /// Looks at the nodes that the outputs need.
  init(_ graph: Onnx_GraphProto, _ order: NodeOrder, opset: Int) {
    self.opset = opset
    nodes = order.needed.count
    // What is known at import, whatever the values of the inputs are.
    var constants = Set(order.initialisers.keys)
    var places: [String: Int] = [:]
    for index in order.needed {
      let node = graph.node[index]
      let isKnown = node.input.allSatisfy { $0.isEmpty || constants.contains($0) }
      let isDefault = Lowering.isDefaultDomain(node.domain)
      if isDefault, isKnown || Operators.ofShapes.contains(node.opType) {
        constants.formUnion(node.output)
      }
      let isFoldable = isDefault && ConstantRules.rules[node.opType] != nil
      if isDefault, Operators.rules[node.opType] != nil || (isFoldable && isKnown) { continue }
      let entry = Missing(
        domain: isDefault ? "" : node.domain, kind: node.opType, isConstantOnly: isFoldable)
      if places[entry.title] == nil {
        places[entry.title] = missing.count
        missing.append(entry)
      }
      missing[places[entry.title] ?? 0].nodes.append(node.name.isEmpty ? "#\(index)" : node.name)
    }
  }

  /// - Throws: `.unsupported`, naming every operator that cannot be read, its nodes and what would help.
  func check() throws(MartletError) {
    guard let first = missing.first else { return }
    let entries = missing.sorted { ($1.nodes.count, $0.title) < ($0.nodes.count, $1.title) }
    let lists = entries.prefix(32).map { entry in
      let shown = entry.nodes.prefix(3).joined(separator: ", ")
      let more = entry.nodes.count > 3 ? " …" : ""
      return "\(entry.title) (\(entry.nodes.count): \(shown)\(more))"
    }
    throw MartletError(
      .unsupported,
      entries.count == 1
        ? "the operator \(first.title) is not supported"
        : "\(entries.count) operators of the model are not supported",
      context: [
        "operators": lists.joined(separator: "; ")
          + (entries.count > 32 ? "; and \(entries.count - 32) more" : ""),
        "nodes": "\(entries.reduce(0) { $0 + $1.nodes.count }) of \(nodes)", "opset": "\(opset)",
      ], hint: hints(entries).joined(separator: "; "))
  }

  private func hints(_ entries: [Missing]) -> [String] {
    var hints: [String] = []
    func add(_ hint: String, where applies: (Missing) -> Bool) {
      if entries.contains(where: applies) { hints.append(hint) }
    }
    let controlFlow: Set<String> = ["If", "Loop", "Scan"]
    let selection: Set<String> = ["NonMaxSuppression", "TopK", "RoiAlign", "Unique"]
    func isQuantised(_ entry: Missing) -> Bool {
      entry.kind.contains("Quantize") || entry.kind.contains("QLinear")
        || entry.kind.hasSuffix("Integer")
    }
    add(
      "export the model without the optimisations of onnxruntime, whose operators com.microsoft has"
    ) { $0.domain.hasPrefix("com.microsoft") }
    add("export the model in float32, not quantised", where: isQuantised)
    add("export the model without what comes after the network, such as choosing boxes") {
      $0.domain.isEmpty && selection.contains($0.kind)
    }
    add(
      "simplify the model with fixed sizes (pip install onnxslim; onnxslim model.onnx slim.onnx), or "
        + "export it with a newer exporter (torch.onnx.export with dynamo=True)"
    ) {
      $0.isConstantOnly || controlFlow.contains($0.kind) || $0.kind.hasPrefix("Sequence")
        || $0.kind.hasPrefix("Optional")
    }
    for entry in entries where entry.domain.isEmpty && !entry.isConstantOnly {
      guard let first = OperatorVersions.first[entry.kind] else {
        hints.append("ONNX has no operator \(entry.kind): look at what wrote the model")
        continue
      }
      if first > opset { hints.append("\(entry.kind) came with opset \(first)") }
    }
    hints.append("martlet describe --operators lists what is supported")
    return hints
  }
}
