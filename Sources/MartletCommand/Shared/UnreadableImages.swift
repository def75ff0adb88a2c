import ArgumentParser
import Foundations

/// Images that could not be read, decoded or prepared. The others are worked on; each of these is
/// named on standard error, once, and in the end the command says with status 1 that there were some.
final class UnreadableImages {
  private var names: Set<String> = []

  /// How many there were.
  var count: Int { names.count }

  /// Says that an image is passed over, and why.
  func note(_ name: String, _ error: MartletError) {
    guard names.insert(name).inserted else { return }
    Terminal.endProgress()
    Terminal.printLine("martlet: passing over \(name): \(error)")
  }

  /// What reading gives, or nil for an image that cannot be read.
  func reading<Value>(
    _ name: String, _ read: () throws(MartletError) -> Value
  ) -> Value? {
    do throws(MartletError) {
      return try read()
    } catch {
      note(name, error)
      return nil
    }
  }

  /// Ends the command with status 1 if there were any; called when everything else is done.
  func finish() throws {
    guard names.isEmpty else { throw ExitCode(UnreadableImages.status) }
  }

  /// The status of a command that did without some images.
  static let status: Int32 = 1

  /// For the summary: `, 2 images could not be read`.
  static func note(_ count: Int) -> String {
    count == 0 ? "" : ", \(count) image\(count == 1 ? "" : "s") could not be read"
  }

  /// What `--help` says of it.
  static let help = """
    An image that cannot be read is named on standard error and passed over; the summary counts them \
    and the status is then 1.
    """
}
