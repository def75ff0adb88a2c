import ArgumentParser
import Foundations
import Glibc
import Plan
import TensorFiles

/// Whether a command may replace what stands where it writes.
struct OverwriteOptions: ParsableArguments {
  @Flag(help: "Replace files and plans that exist already, without asking.")
  var force = false
}

/// Files and folders that a command writes when all is computed: what stands in the way should be known
/// before minutes of computing.
enum OutputFiles {
  /// Checks that files can be made, and may be: one that exists is replaced only with `--force`, or
  /// when somebody at a terminal says so.
  ///
  /// - Throws: `notFound` for a folder that is missing; `invalidArgument` for a file that stays.
  static func check(
    _ paths: [String?], _ overwrite: OverwriteOptions
  ) throws(MartletError) {
    for path in paths.compactMap({ $0 }) {
      try checkFolder(of: path)
      if FileSystem.isRegularFile(path) { try require(path, overwrite) }
    }
  }

  /// Checks that files can be made; what they replace or continue is the command's own.
  static func checkFolders(_ paths: [String?]) throws(MartletError) {
    for path in paths.compactMap({ $0 }) { try checkFolder(of: path) }
  }

  /// The same for a plan's folder.
  ///
  /// - Throws: `invalidArgument` also for a folder that holds something else, which `--force` does not
  ///   replace.
  static func checkPlan(_ path: String, _ overwrite: OverwriteOptions) throws(MartletError) {
    if try PlanFolder.isThere(path) { try require(path, overwrite) }
  }

  private static func checkFolder(of path: String) throws(MartletError) {
    guard FileSystem.isFolder(FileSystem.folder(of: path)) else {
      throw MartletError(
        .notFound, "the folder of an output file does not exist", context: ["file": path])
    }
  }

  private static func require(_ path: String, _ overwrite: OverwriteOptions) throws(MartletError) {
    if overwrite.force { return }
    if Terminal.canAsk, Terminal.confirm("\(path) exists already. Replace it?") { return }
    throw stays(path)
  }

  /// The error about a file that is not replaced.
  static func stays(_ path: String) -> MartletError {
    MartletError(
      .invalidArgument, "an output exists already and is left as it is", context: ["path": path],
      hint: "--force replaces it; or name another")
  }
}
