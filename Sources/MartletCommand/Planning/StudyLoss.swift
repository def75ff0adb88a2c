import ArgumentParser
import Engine
import Evaluation
import Foundations
import Plan
import Planning
import Resilience
import Tensors

/// Whether and how `martlet study` looks at the frame in which devices die.
struct StudyLossOptions: ParsableArguments {
  @Flag(
    name: .customLong("at-loss"),
    help: ArgumentHelp(
      "Also study the frame in which devices die.",
      discussion: """
        Else the figures are of later frames, which everybody computes knowing who is there. In the \
        frame of the loss everybody still counts on the dead: nobody stands in for them, unless copies \
        are always active, and rows of theirs are made up. It is computed as the devices do, image by \
        image, which takes longer.
        """))
  var isStudied = false

  @OptionGroup var copies: ReplicaOptions

  @Option(
    help: """
      With --at-loss, what stands in for lost rows: \(StudyLossOptions.names) (default: \
      \(Plan.RowFill.standard.rawValue), as on devices).
      """)
  var rowFill: Plan.RowFill?

  private static let names = Plan.RowFill.allCases.map(\.rawValue).joined(separator: ", ")

  func validate() throws {
    guard isStudied || (rowFill == nil && copies.replicas == .standby) else {
      throw ValidationError("--row-fill and --replicas active need --at-loss")
    }
  }

  /// A plan's table with what the frame of the loss costs.
  ///
  /// - Parameters:
  ///   - folder: the plan's.
  ///   - fill: what stands in for lost neurons; the plan's own fill if nil.
  ///   - wire: how parts travel; as the plan says if nil.
  func study(
    _ subject: FailureStudy.Subject, of folder: PlanFolder, fill: Plan.Fill?, wire: WireChoice?,
    _ run: StudyRun, _ images: LabelledImages, table: FailureTable
  ) throws(MartletError) -> FailureTable {
    let (rowFill, replicas) = (rowFill ?? .standard, copies.replicas)
    return try run.addLoss(
      to: table, subject, of: folder, fill: fill, replicas: replicas, rowFill: rowFill, images
    ) { plan throws(MartletError) in
      let frames = try LossFrames(
        plan, of: folder, wire: wire?.type?.elementType, rowFill: rowFill, replicas: replicas)
      return { () throws(MartletError) in
        let run = frames.runner()
        return { input, failed throws(MartletError) in
          let (scores, lostNeurons) = try run(input, failed)
          return LossStudy.Outcome(scores: scores, lostNeurons: lostNeurons)
        }
      }
    }
  }
}

extension Plan.RowFill: ExpressibleByArgument {}
