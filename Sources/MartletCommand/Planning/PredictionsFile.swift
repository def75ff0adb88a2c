import Evaluation
import Foundations
import TensorFiles

/// The answer for each image in each failure set, to compare with other runs image by image.
enum PredictionsFile {
  /// Writes tab-separated lines, atomically and without holding the text in memory.
  static func write(
    _ path: String, report: StudyReport, result: FailureStudy.Result, images: LabelledImages
  ) throws(MartletError) {
    try FileSystem.writeAtomically(path) { file throws(MartletError) in
      try file.write(Array("plan\tfailed\timage\tlabel\tpredicted\tconfidence\n".utf8))
      for (plan, predictions) in zip(report.plans, result.predictions) {
        for (set, answers) in zip(plan.sets, predictions) {
          var lines = ""
          let failed = set.failed.joined(separator: " ")
          for (index, answer) in answers.enumerated() {
            // A tab or a line end in a file name would look like another field.
            let name = images.names[index].map { $0.isNewline || $0 == "\t" ? "?" : $0 }
            lines += "\(plan.plan)\t\(failed)\t\(String(name))\t\(images.labels[index])\t"
            lines += "\(answer.label)\t\(answer.confidence)\n"
          }
          try file.write(Array(lines.utf8))
        }
      }
    }
  }
}
