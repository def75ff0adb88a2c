import Foundations
import Plan
import Planning

/// How much of a network's front is divided by rows, so that each device has a strip of the image.
public enum RowStrips: Sendable, Hashable {
  /// Nothing; not called `none`, which would be read as no choice at all.
  case nothing
  /// All that can be.
  case all
  /// Everything up to the node of that name.
  case until(String)
  /// What is predicted to be best.
  case automatic

  var wish: StripWish {
    switch self {
    case .nothing: .none
    case .all: .all
    case .until(let name): .until(name)
    case .automatic: .auto
    }
  }
}

/// Which pairs of layers are divided by the hidden neurons between them, so that devices exchange what they
/// contribute to the second one's result.
public enum LayerPairs: Sendable, Hashable {
  /// None.
  case none
  /// All by which less is sent.
  case all
  /// Those that end at the nodes of these names.
  case ending(at: [String])
  /// What is predicted to be best.
  case automatic

  var wish: PairWish {
    switch self {
    case .none: .none
    case .all: .all
    case .ending(let names): .at(names)
    case .automatic: .auto
    }
  }
}

/// How a plan says that parts are to travel.
public enum PlannedWire: Sendable, Hashable {
  /// All of them so.
  case fixed(WireFormat)
  /// As bytes where no calibration image gets another class by it, else as half precision.
  case automatic

  var choice: WireChoice {
    switch self {
    case .fixed(.float32): .f32
    case .fixed(.float16): .f16
    case .fixed(.int8): .i8
    case .automatic: .auto
    }
  }
}

/// How a plan says that weights are to be stored.
public enum PlannedWeights: Sendable, Hashable {
  /// All of them so.
  case fixed(WeightFormat)
  /// As bytes where fewer than one in a thousand calibration images get another class by it, else, and
  /// without images, as half precision.
  case automatic

  var choice: WeightChoice {
    switch self {
    case .fixed(.float32): .f32
    case .fixed(.float16): .f16
    case .fixed(.int8): .i8
    case .automatic: .auto
    }
  }
}

/// What is known of devices and links, to predict with what a plan takes.
public struct PlanConditions: Sendable, Hashable {
  /// What a plan can be best at.
  public enum Goal: String, Sendable, CaseIterable {
    /// The time of one frame.
    case latency
    /// Frames a second.
    case throughput
    /// Memory of the device with most.
    case memory

    var goal: PlanGoal {
      switch self {
      case .latency: .latency
      case .throughput: .throughput
      case .memory: .memory
      }
    }
  }

  /// Files of `martlet bench device`, or folders of them: one for all devices, or one for each, named
  /// like it.
  public var profiles: [String]
  /// Speeds of links: `50mbit,2ms` for all, `d0=10mbit` for one device, or for `client`. Those that are
  /// not named have no limit.
  public var links: [String] = []
  /// The speed of the broker's own link, which everything passes; no limit if nil.
  public var brokerLink: String?
  /// What the plan is to be best at, where something is left open.
  public var goal = Goal.latency

  /// Devices of these profiles, links without limit, and a plan that is to be quick.
  public init(profiles: [String]) { self.profiles = profiles }

  /// The model to predict with for devices of these names.
  func cost(of names: [String]) throws(Foundations.MartletError) -> CostModel {
    CostModel(
      CostAssumptions(
        try DeviceProfiles(reading: profiles, names: names),
        network: try NetworkSpeed(parsing: links, broker: brokerLink, names: names)))
  }
}

/// What a plan is predicted to take; see ``PlanConditions``.
public struct PlanForecast: Sendable, Hashable {
  /// From a frame's submission to its answer, with nothing else under way.
  public let latency: Duration
  /// Frames a second with enough of them under way.
  public let framesPerSecond: Double
  /// In a line: what is best, compared with one device alone, and the narrowest place.
  public let summary: String

  /// The forecast of the best of some plans; nil without any.
  init?(_ comparison: PlanComparison, for goal: PlanGoal) {
    guard let best = comparison.best(for: goal) else { return nil }
    latency = .nanoseconds(Int64((min(best.prediction.latency, 1e9) * 1e9).rounded()))
    framesPerSecond = best.prediction.framesPerSecond
    summary = comparison.summary(for: goal)
  }
}
