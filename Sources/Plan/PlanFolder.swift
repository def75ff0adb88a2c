import JSONCoding
public import ModelGraph
public import TensorCore
import TensorFiles

/// A plan on disk: `plan.json`, one safetensors shard per device with only that device's weights, and
/// `client.safetensors` when the client needs constants of its own.
public struct PlanFolder: Sendable {
  /// The name of the plan's own file.
  public static let documentName = "plan.json"

  /// The folder.
  public let path: String
  /// Identifies the plan, shards included: the first 16 hexadecimal digits of a SHA-256.
  public let id: String
  /// The plan.
  public let plan: Plan
  private let document: PlanDocument

  // MARK: Reading

  /// Reads and checks `plan.json`; shards are read by `constants`.
  ///
  /// - Throws: `notFound`, `invalidFile`, `mismatch` naming what is wrong and what to do.
  public init(reading path: String) throws(MartletError) {
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
    guard stamp.version == PlanDocument.version else {
      throw MartletError(
        .mismatch,
        "the plan has version \(stamp.version), this martlet reads version \(PlanDocument.version)",
        context: ["file": file], hint: "run martlet plan again")
    }
    let document = try JSON.decode(PlanDocument.self, from: bytes, source: file)
    guard document.id == (try document.computedID()) else {
      throw MartletError(
        .mismatch, "the plan was changed after it was made: its id does not fit its content",
        context: ["file": file], hint: "run martlet plan again")
    }
    do {
      plan = try document.plan()
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

  /// The constants of one device's program (nil: the client's), read from its shard.
  ///
  /// - Throws: `notFound` or `mismatch` when the shard is missing, corrupt or another plan's.
  public func constants(
    of program: DeviceProgram, device: Int?
  ) throws(MartletError) -> [ValueID: Tensor] {
    guard !program.constants.isEmpty else { return [:] }
    guard let shard = device.map({ document.shards[$0] }) ?? document.client else {
      throw MartletError(
        .mismatch, "the plan has no constants for the client", context: ["folder": path])
    }
    guard FileSystem.name(of: shard.file) == shard.file, shard.file.hasSuffix(".safetensors") else {
      throw MartletError(
        .invalidFile, "a shard must be a file in the plan's own folder",
        context: ["folder": path, "shard": shard.file])
    }
    let file = path + "/" + shard.file
    guard FileSystem.exists(file) else {
      throw MartletError(
        .notFound, "the shard of this device is missing", context: ["file": file],
        hint: "copy it from the folder that martlet plan wrote")
    }
    guard try FileDigest.sha256(path: file) == shard.sha256 else {
      throw MartletError(
        .mismatch, "the shard is corrupt or belongs to another plan",
        context: ["file": file, "plan": id], hint: "copy the plan's folder again")
    }
    let tensors = try SafetensorsFile(file)
    var result: [ValueID: Tensor] = [:]
    for id in program.constants.keys.sorted() {
      let value = program.graph[id]
      let tensor = try tensors.tensor(value.name)
      guard tensor.shape == value.shape, tensor.elementType == .float32 else {
        throw MartletError(
          .mismatch, "a tensor of the shard has another shape than the plan says",
          context: [
            "file": file, "tensor": value.name, "expected": "\(value.shape)",
            "found": "\(tensor.shape)",
          ])
      }
      result[id] = tensor
    }
    return result
  }

  // MARK: Writing

  /// Writes a plan and its shards. The folder appears whole or not at all; a plan that is already
  /// there is replaced.
  ///
  /// - Parameters:
  ///   - graph: the model with its weights, from which the plan was made.
  ///   - progress: called with each finished device.
  /// - Throws: `invalidArgument` if the folder exists and holds something else; `io` and the like.
  public static func write(
    _ plan: Plan, graph: Graph, to path: String, progress: (Int) -> Void = { _ in }
  ) throws(MartletError) -> PlanFolder {
    try checkReplaceable(path)
    let temporary = path + ".partial"
    if FileSystem.exists(temporary) { try FileSystem.removeFlatFolder(temporary) }
    try FileSystem.createFolder(temporary)
    do throws(MartletError) {
      var shards: [PlanDocument.Shard] = []
      for (number, device) in plan.devices.enumerated() {
        shards.append(
          try writeShard(
            plan.program(device: number), graph: graph, device: device,
            file: device.name + ".safetensors", folder: temporary))
        progress(number)
      }
      let client = plan.clientProgram()
      let clientShard =
        client.constants.isEmpty
        ? nil
        : try writeShard(
          client, graph: graph, device: Plan.Device(name: "client", share: 0),
          file: clientFile(avoiding: plan.devices), folder: temporary)
      var document = PlanDocument(plan, shards: shards, client: clientShard)
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

  private static func clientFile(avoiding devices: [Plan.Device]) -> String {
    // A device may be called "client".
    devices.contains { $0.name == "client" } ? "client-constants.safetensors" : "client.safetensors"
  }

  private static func checkReplaceable(_ path: String) throws(MartletError) {
    guard FileSystem.exists(path) else { return }
    guard FileSystem.isFolder(path) else {
      throw MartletError(
        .invalidArgument, "the plan's folder is a file", context: ["path": path],
        hint: "choose another -o")
    }
    let names = try FileSystem.list(path, recursive: false).map(\.path)
    let isPlan = names.contains(documentName)
    guard names.isEmpty || isPlan,
      names.allSatisfy({ $0 == documentName || $0.hasSuffix(".safetensors") })
    else {
      throw MartletError(
        .invalidArgument, "the folder holds something else than a plan and is left alone",
        context: ["folder": path], hint: "choose another -o")
    }
  }

  private static func writeShard(
    _ program: DeviceProgram, graph: Graph, device: Plan.Device, file: String, folder: String
  ) throws(MartletError) -> PlanDocument.Shard {
    var tensors: [(name: String, tensor: Tensor)] = []
    var bytes = 0
    for (id, slice) in program.constants.sorted(by: { $0.key < $1.key }) {
      guard let source = graph.constants[slice.source] else {
        throw MartletError(
          .mismatch, "the model has no such constant", context: ["value": program.graph[id].name])
      }
      let tensor = slice.apply(to: source)
      bytes += tensor.shape.count * ElementType.float32.size
      tensors.append((program.graph[id].name, tensor))
    }
    let path = folder + "/" + file
    try SafetensorsFile.write(path, tensors: tensors, metadata: [("device", device.name)])
    return PlanDocument.Shard(
      device: device, file: file, sha256: try FileDigest.sha256(path: path), weightBytes: bytes)
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
