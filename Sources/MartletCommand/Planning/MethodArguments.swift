import ArgumentParser
import Evaluation
import Foundations
package import Plan
package import Planning
import Tensors

/// How `martlet plan` spreads neurons: a method, its options, and what goes with any of them.
struct MethodArguments: ParsableArguments {
  @Option(
    help: """
      How the neurons of each layer are spread; see above. auto makes a plan by each method that needs \
      nothing else, and takes the one that is predicted to be best.
      """)
  var method = MethodName(PlanningMethods.usual)

  @OptionGroup var options: MethodOptionArguments

  @Option(
    help: "What stands in for lost neurons: \(Plan.Fill.Kind.help(images: "over --calibration")).")
  var fill: Plan.Fill.Kind = .zero

  @Option(
    help: ArgumentHelp(
      "Divide the front of the network by rows: none, all that can be, the name of the last node, or auto, "
        + "as the prediction says (default: none, with --method auto both none and auto).",
      valueName: "to"))
  var strips: StripWish?

  @Option(
    help: ArgumentHelp(
      "Divide pairs of layers by the hidden neurons between them and exchange sums of the narrow result: "
        + "none, all by which less is sent, the names of the nodes at their ends, separated by commas, "
        + "or auto, as the prediction says (default: none, with --method auto both none and auto).",
      valueName: "ends"))
  var pairs: PairWish?

  @Option(
    help: """
      How parts are to travel: \(WireType.summary), or auto: i8 where no calibration image gets another \
      class by it, else f16. Workers keep to it unless they are told otherwise; without it they send f32.
      """)
  var wire: WireChoice?

  @Option(
    help: """
      How the weights of layers are stored, on disk and in memory: \(WeightType.summary), or auto: i8 if \
      fewer than one in a thousand --calibration images get another class by it, else f16. Biases stay \
      f32, and so do layers that the type cannot hold, which are named.
      """)
  var weights: WeightChoice = .f32

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      MethodArguments.measured.joined(separator: ", ")
        + ": images to measure with; never those that test the plan."),
    completion: .file())
  var calibration: [String] = []

  @Option(help: "Use at most this many calibration images, evenly chosen.")
  var calibrationLimit = 64

  @Option(help: "Threads that measure; all processors unless given.")
  var threads: Int?

  /// What needs images.
  private static var measured: [String] {
    PlanningMethods.standard.with(\.needsImages).map(\.name)
      + [Plan.Fill.Kind.measuredOptions, "--wire auto", "--weights auto"]
  }

  func validate() throws {
    guard calibrationLimit > 0 else {
      throw ValidationError("--calibration-limit must be 1 or more")
    }
    guard threads.map((1...256).contains) ?? true else {
      throw ValidationError("--threads must be 1 to 256")
    }
    let needsImages: Bool
    do throws(MartletError) {
      needsImages = try order(goal: .latency).needsImages()
    } catch {
      throw ValidationError(error.message)
    }
    guard needsImages ? !calibration.isEmpty : calibration.isEmpty || weights == .auto else {
      let methods = PlanningMethods.standard.with(\.needsImages).map { "--method \($0.name)" }
      let users = (methods + [Plan.Fill.Kind.measuredOptions, "--wire auto"])
        .joined(separator: " and ")
      throw ValidationError(
        "--calibration is for \(users), which need it, and for --weights auto")
    }
  }

  /// What was asked for.
  ///
  /// - Parameter goal: what the best is best at.
  func order(goal: PlanGoal) -> PlanOrder {
    var order = PlanOrder(method.method)
    order.options = options.given
    order.fill = fill
    order.strips = strips
    order.pairs = pairs
    order.wire = wire
    order.weights = weights
    order.goal = goal
    return order
  }
}

extension StripWish: ExpressibleByArgument {
  /// Reads `none`, `all`, `auto` or a node's name.
  public init?(argument: String) { self.init(argument) }
}

extension PairWish: ExpressibleByArgument {
  /// Reads `none`, `all`, `auto`, or names of nodes, separated by commas.
  public init?(argument: String) { self.init(argument) }
}

extension WireChoice: ExpressibleByArgument {}

extension WeightChoice: ExpressibleByArgument {}

extension Plan.Fill.Kind: ExpressibleByArgument {
  /// The options by which calibration images are needed.
  static var measuredOptions: String {
    measured.map { "--fill \($0.rawValue)" }.joined(separator: " or ")
  }
}

extension Measuring {
  /// With lines of progress on a terminal, until the user stops it.
  ///
  /// - Parameter threads: all processors if nil.
  init(threads: Int?, stopped: StopFlag) {
    self.init(threads: threads, isStopped: { stopped.signal != nil }) { what, total, note in
      let watch = ProgressWatch(what, total: total, note: note)
      return { watch.show($0) }
    }
  }

  /// The images that can be read; the others are named.
  func readable(
    _ images: LabelledImages, _ unreadable: UnreadableImages
  ) throws(MartletError) -> LabelledImages {
    try readable(images) { unreadable.note($0, $1) }
  }
}
