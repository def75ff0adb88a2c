import Foundations
import Imaging
import ModelGraph
import Plan
import Resilience
import TensorFiles
import Tensors

/// A plan in a folder: what workers, gateways and sessions run.
public struct DeploymentPlan: Sendable {
  let folder: PlanFolder

  init(folder: PlanFolder) { self.folder = folder }

  /// Reads a plan; the weights are read by who needs them.
  ///
  /// - Parameter path: the folder that ``PlanDraft/write(to:)`` or `martlet plan` wrote, or a copy with
  ///   `plan.json` and what is needed of the weights.
  /// - Throws: ``MartletError``: `notFound`, `invalidFile`, or `mismatch` for a plan of another version
  ///   or one that was changed.
  public init(contentsOf path: String) throws(MartletError) {
    folder = try wrappingErrors { () throws(Foundations.MartletError) in
      try PlanFolder(reading: path)
    }
  }

  /// The folder.
  public var path: String { folder.path }
  /// Tells plans apart, weights included: 16 hexadecimal digits. Workers and clients of one deployment
  /// have the same.
  public var id: String { folder.id }
  /// The model's name.
  public var modelName: String { folder.plan.model.name }
  /// The method and its choices, in words.
  public var method: String { folder.plan.method }
  /// How weights are stored.
  public var weights: WeightFormat { WeightFormat(folder.plan.weights) }
  /// The devices' names, in order.
  public var devices: [String] { folder.plan.devices.map(\.name) }
  /// Class names by output index; empty where they are not known.
  public var labels: [String] { folder.plan.model.labels }
  /// How the model's outputs are read.
  public var task: Model.Task { Model.Task(folder.plan.head.task) }
  /// What the model takes.
  public var input: Model.Port? {
    let graph = folder.plan.graph
    return graph.inputs.first.map {
      Model.Port(name: graph[$0].name, shape: graph[$0].shape.dimensions)
    }
  }

  /// What each device holds, computes, sends and receives, in order; worked out at each call.
  public func shares() -> [DeviceShare] { DeviceShare.all(of: folder.plan) }

  /// The input for an image file: JPEG, PNG or WebP.
  ///
  /// - Returns: resized, cropped and normalised as the plan says, in the shape of the input.
  /// - Throws: as ``Model/input(imageAt:)``.
  public func input(imageAt path: String) throws(MartletError) -> Tensor {
    let bytes = try wrappingErrors { () throws(Foundations.MartletError) in
      try FileSystem.read(path)
    }
    return try folder.plan.model.input(image: bytes, source: path)
  }

  /// The input for an image.
  ///
  /// - Parameter bytes: those of a JPEG, PNG or WebP file.
  /// - Throws: as ``Model/input(imageAt:)``.
  public func input(image bytes: [UInt8]) throws(MartletError) -> Tensor {
    try folder.plan.model.input(image: bytes, source: "image")
  }

  /// What a running system may expect of the devices it has: the table that
  /// ``study(_:images:failures:wire:atLoss:rowFill:usesActiveReplicas:limit:threads:saves:progress:)``
  /// left in the folder; nil without one.
  ///
  /// - Throws: ``MartletError``: `mismatch` when it is another plan's, `invalidFile`.
  public func savedStudy() throws(MartletError) -> AccuracyStudy? {
    try failureTable().map { AccuracyStudy($0) }
  }

  func failureTable() throws(MartletError) -> FailureTable? {
    try wrappingErrors { () throws(Foundations.MartletError) in
      try FailureTable.read(beside: folder)
    }
  }
}
