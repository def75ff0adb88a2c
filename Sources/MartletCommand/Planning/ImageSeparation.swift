import Foundations
import Imaging

/// Images that something is chosen or measured with must not be those that it is judged by.
enum ImageSeparation {
  /// Above this share of shared images two sets count as the same: a few that are alike, such as
  /// black frames, are in many collections.
  static let tolerated = 0.1

  /// - Throws: `invalidArgument` when the calibration images are among the test images.
  static func check(calibration: ImageSet, test: ImageSet) throws(MartletError) {
    let overlap = try calibration.overlap(with: test)
    guard let (first, second) = overlap.example else { return }
    let share = Double(overlap.count) / Double(overlap.of)
    guard share > tolerated else {
      return Terminal.printLine(
        "martlet: \(overlap.count) of \(overlap.of) calibration images are test images too, such as "
          + first)
    }
    throw MartletError(
      .invalidArgument, "the calibration images are among the test images",
      context: [
        "shared": "\(overlap.count) of \(overlap.of)", "calibration": first, "test": second,
      ],
      hint: "measured on what it was fitted to, accuracy would say nothing about other images: "
        + "calibrate with training images")
  }
}
