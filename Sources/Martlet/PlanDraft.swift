import Foundations
import ModelGraph
import Plan
import Planning

/// A plan that has been made and is not on disk yet: to be looked at, compared with others, and
/// written.
public struct PlanDraft: Sendable {
  /// The method and its choices, in words.
  public let method: String
  /// What each device holds, computes, sends and receives, in order.
  public let devices: [DeviceShare]
  /// Layers that are divided.
  public let layers: Int
  /// How often devices exchange parts for one frame.
  public let exchanges: Int
  /// Weight bytes of all devices over those of the model.
  public let copies: Double
  /// The share of calibration answers that stay, 0 to 1, by number of failures from 1 on; nil for
  /// methods that do not measure it.
  public let agreement: [Double]?
  /// What the plan is predicted to take; nil without ``PlanConditions``.
  public let forecast: PlanForecast?

  private let plan: Plan
  private let graph: Graph

  init(plan: Plan, graph: Graph, figures: PlanFigures, forecast: PlanForecast?) {
    self.plan = plan
    self.graph = graph
    method = plan.method
    devices = zip(plan.devices, figures.devices).map { DeviceShare($0, $1) }
    layers = figures.layers
    exchanges = figures.exchanges
    copies = figures.copies
    agreement = figures.agreement
    self.forecast = forecast
  }

  /// Writes the plan: a folder with `plan.json` and one file of weights for each device. A worker needs
  /// `plan.json` and its own weights. The calling thread waits.
  ///
  /// - Parameter folder: made here; it appears whole or not at all. A plan that stands there is
  ///   replaced.
  /// - Throws: ``MartletError``: `invalidArgument` when something else than a plan stands there,
  ///   `permissionDenied`, `resourceExhausted` or `io`.
  public func write(to folder: String) throws(MartletError) -> DeploymentPlan {
    DeploymentPlan(
      folder: try wrappingErrors { () throws(Foundations.MartletError) in
        try PlanFolder.write(plan, graph: graph, to: folder)
      })
  }
}
