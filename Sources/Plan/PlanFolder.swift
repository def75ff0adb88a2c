package import Foundations
import JSONCoding
package import ModelGraph
import TensorFiles
package import Tensors

/// A plan on disk: `plan.json`, one safetensors shard per device with only that device's weights, and
/// `client.safetensors` when the client needs constants of its own.
package struct PlanFolder: Sendable {
  /// The name of the plan's own file.
  package static let documentName = "plan.json"
  /// The table of what failures cost, beside it; see the command `study`.
  package static let studyName = "study.json"
  /// The importance of neurons, beside it; see the command `score`.
  package static let scoresName = "scores.json"
  private static let companions: Set<String> = [studyName, scoresName]

  /// The folder.
  package let path: String
  /// Identifies the plan, shards included: the first 16 hexadecimal digits of a SHA-256.
  package let id: String
  /// The plan.
  package let plan: Plan
  private let document: PlanDocument

  // MARK: Reading

  /// Reads and checks `plan.json`; shards are read by `constants`.
  ///
  /// - Throws: `notFound`, `invalidFile`, `mismatch` naming what is wrong and what to do.
  package init(reading path: String) throws(MartletError) {
    let file = path + "/" + PlanFolder.documentName
    guard FileSystem.exists(file) else {
      throw MartletError(
        .notFound, "there is no plan in this folder", context: ["folder": path],
        hint: "martlet plan MODEL --devices N -o \(path) makes one")
    }
    let bytes = try FileSystem.read(file, limit: 256 << 20)
    // The version first: a plan of another version may not decode at all.
    let stamp = try JSON.decode(Stamp.self, from: bytes, source: file)
    guard stamp.format == PlanDocument.format else {
      throw MartletError(.invalidFile, "this is not a plan of martlet", context: ["file": file])
    }
    guard PlanDocument.versions.contains(stamp.version) else {
      throw MartletError(
        .mismatch,
        "the plan has version \(stamp.version), this martlet reads versions "
          + "\(PlanDocument.versions.lowerBound) to \(PlanDocument.versions.upperBound)",
        context: ["file": file],
        hint: stamp.version > PlanDocument.versions.upperBound
          ? "install the martlet that made the plan on every device, or plan again without what is new"
          : "run martlet plan again")
    }
    let document = try JSON.decode(PlanDocument.self, from: bytes, source: file)
    guard document.id == (try document.computedID()) else {
      throw MartletError(
        .mismatch, "the plan was changed after it was made: its id does not fit its content",
        context: ["file": file], hint: "run martlet plan again")
    }
    do {
      plan = try document.plan { constants, kind, plan throws(MartletError) in
        try PlanFolder.fillConstants(constants, kind, of: plan, folder: path)
      }
    } catch {
      throw error.adding("file", file)
    }
    self.path = path
    self.document = document
    id = document.id
  }

  private struct Stamp: Codable {
    var format: String
    var version: Int
  }

  /// Everything that a device (nil: the client) needs in any attendance, read from its shard. Narrow
  /// weights are mapped: the file must stay as it is, and is replaced by renaming.
  ///
  /// - Throws: `notFound` or `mismatch` when the shard is missing, corrupt or another plan's.
  package func constants(device: Int?) throws(MartletError) -> [ConstantSlice: StoredTensor] {
    let inventory = ShardInventory(plan, device: device)
    guard !inventory.entries.isEmpty else { return [:] }
    guard let shard = device.map({ document.shards[$0] }) ?? document.client else {
      throw MartletError(
        .mismatch, "the plan has no constants for the client", context: ["folder": path])
    }
    let tensors = try PlanFolder.open(
      shard.file, sha256: shard.sha256, folder: path, what: "the shard of this device")
    var result: [ConstantSlice: StoredTensor] = [:]
    for (entry, tensor) in zip(
      inventory.entries, try tensors.stored(inventory.entries.map(\.storedName)))
    {
      guard tensor.shape == entry.shape,
        tensor.elementType == .float32 || tensor.elementType == entry.storage
      else {
        throw MartletError(
          .mismatch, "a tensor of the shard has another shape or type than the plan says",
          context: [
            "file": path + "/" + shard.file, "tensor": entry.name,
            "expected": "\(entry.shape) \(entry.storage)",
            "found": "\(tensor.shape) \(tensor.elementType)",
          ])
      }
      result[entry.slice] = tensor
    }
    return result
  }

  private static func open(
    _ name: String, sha256: String, folder: String, what: String
  ) throws(MartletError) -> SafetensorsFile {
    guard FileSystem.name(of: name) == name, name.hasSuffix(".safetensors") else {
      throw MartletError(
        .invalidFile, "a plan's files must be in its own folder",
        context: ["folder": folder, "file": name])
    }
    let file = folder + "/" + name
    guard FileSystem.exists(file) else {
      throw MartletError(
        .notFound, "\(what) is missing", context: ["file": file],
        hint: "copy it from the folder that martlet plan wrote")
    }
    // One opening for all: what is mapped later is what has been looked at.
    let opened = try ReadableFile(file)
    guard try FileDigest.sha256(opened) == sha256 else {
      throw MartletError(
        .mismatch, "\(what) is corrupt or belongs to another plan", context: ["file": file],
        hint: "copy the plan's folder again")
    }
    return try SafetensorsFile(opened)
  }

  private static func fillConstants(
    _ constants: PlanDocument.Constants, _ kind: Plan.Fill.Kind, of plan: Plan, folder: String
  ) throws(MartletError) -> [[Float]] {
    let tensors = try open(
      constants.file, sha256: constants.sha256, folder: folder,
      what: "the file of channel \(kind.constantsName)")
    return try plan.exchanges.map { point throws(MartletError) in
      if !point.takesConstants { return [] }
      return try tensors.tensor(point.id).floats ?? []
    }
  }

  // MARK: Writing

  /// Writes a plan and its shards. The folder appears whole or not at all; a plan that is already
  /// there is replaced.
  ///
  /// - Parameters:
  ///   - graph: the model with its weights, from which the plan was made.
  ///   - progress: called with each finished device.
  /// - Throws: `invalidArgument` if the folder exists and holds something else, or for a device with a
  ///   reserved name; `io` and the like.
  package static func write(
    _ plan: Plan, graph: Graph, to path: String, progress: (Int) -> Void = { _ in }
  ) throws(MartletError) -> PlanFolder {
    try Plan.checkNewNames(plan.devices)
    _ = try isThere(path)
    let temporary = path + ".partial"
    if FileSystem.exists(temporary) { try FileSystem.removeFlatFolder(temporary) }
    try FileSystem.createFolder(temporary)
    do throws(MartletError) {
      var shards: [PlanDocument.Shard] = []
      for (number, device) in plan.devices.enumerated() {
        shards.append(
          try writeShard(
            ShardInventory(plan, device: number), graph: graph, weights: plan.weights,
            device: device, file: device.name + ".safetensors", folder: temporary))
        progress(number)
      }
      let client = ShardInventory(plan, device: nil)
      let clientShard =
        client.entries.isEmpty
        ? nil
        : try writeShard(
          client, graph: graph, weights: plan.weights,
          device: Plan.Device(name: "client", share: 0),
          file: file("client", avoiding: plan.devices), folder: temporary)
      let constants = try writeFillConstants(plan, folder: temporary)
      var document = PlanDocument(plan, shards: shards, client: clientShard, constants: constants)
      document.id = try document.computedID()
      try FileSystem.write(
        try JSON.encode(document, pretty: true), to: temporary + "/" + documentName)
      try FileSystem.moveFolder(temporary, to: path)
    } catch {
      try? FileSystem.removeFlatFolder(temporary)
      throw error
    }
    return try PlanFolder(reading: path)
  }

  /// A device may be called "client", or "means".
  private static func file(_ name: String, avoiding devices: [Plan.Device]) -> String {
    devices.contains { $0.name == name }
      ? "\(name)-constants.safetensors" : "\(name).safetensors"
  }

  private static func writeFillConstants(
    _ plan: Plan, folder: String
  ) throws(MartletError) -> PlanDocument.Constants? {
    guard let constants = plan.fill.constants else { return nil }
    let name = file(plan.fill.kind.constantsName, avoiding: plan.devices)
    let tensors = zip(plan.exchanges, constants).filter { $0.0.takesConstants }.map {
      point, values in
      (name: point.id, tensor: Tensor(Shape([values.count]), values))
    }
    try SafetensorsFile.write(folder + "/" + name, tensors: tensors, metadata: [])
    return PlanDocument.Constants(
      of: plan.fill.kind, file: name, sha256: try FileDigest.sha256(path: folder + "/" + name))
  }

  /// Whether a plan stands in this folder, which `write` would replace.
  ///
  /// - Throws: `invalidArgument` when something else stands there.
  package static func isThere(_ path: String) throws(MartletError) -> Bool {
    guard FileSystem.exists(path) else { return false }
    guard FileSystem.isFolder(path) else {
      throw MartletError(
        .invalidArgument, "the plan's folder is a file", context: ["path": path],
        hint: "choose another -o")
    }
    let names = try FileSystem.list(path, recursive: false).map(\.path)
    let isPlan = names.contains(documentName)
    guard names.isEmpty || isPlan,
      names.allSatisfy({
        $0 == documentName || companions.contains($0) || $0.hasSuffix(".safetensors")
      })
    else {
      throw MartletError(
        .invalidArgument, "the folder holds something else than a plan and is left alone",
        context: ["folder": path], hint: "choose another -o")
    }
    return isPlan
  }

  private static func writeShard(
    _ inventory: ShardInventory, graph: Graph, weights: WeightType, device: Plan.Device,
    file: String, folder: String
  ) throws(MartletError) -> PlanDocument.Shard {
    var tensors: [(name: SafetensorsFile.StoredName, tensor: StoredTensor)] = []
    for entry in inventory.entries {
      guard let source = graph.constants[entry.slice.source] else {
        throw MartletError(
          .mismatch, "the model has no such constant", context: ["value": entry.name])
      }
      try MemoryLimit.require(
        entry.slice.shape(from: source.shape).count, of: MemoryLayout<Float>.size,
        for: "a device's weights")
      let type =
        entry.storage == .float32 ? .float32 : graph.storage(of: entry.slice.source, as: weights)
      tensors.append((entry.storedName, try entry.slice.stored(of: source, as: type)))
    }
    let path = folder + "/" + file
    try SafetensorsFile.writeStored(path, tensors, metadata: [("device", device.name)])
    return PlanDocument.Shard(
      device: device, file: file, sha256: try FileDigest.sha256(path: path),
      weightBytes: tensors.reduce(0) {
        $0 + StoredTensor.bytes($1.tensor.shape, $1.tensor.elementType)
      })
  }
}

extension PlanDocument {
  /// The first 16 hexadecimal digits of the SHA-256 of everything but the id.
  func computedID() throws(MartletError) -> String {
    var copy = self
    copy.id = ""
    return String(try FileDigest.sha256(try JSON.encode(copy)).prefix(16))
  }
}
