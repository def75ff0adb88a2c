import Foundations
import Glibc
import Processes
import Recording

/// A `martlet record` whose file may not grow beyond 1 MiB: to the program the same as a full disk.
/// It has to end with the status for that and leave a recording that can be read.
final class LimitedRecording {
  private let path: String
  private let process: ChildProcess
  /// Blocks of 512 bytes, the unit of the shell's `ulimit -f`; room for a few writes and no more.
  private static let blocks = 2048
  /// The status with which a program ends for which something has run out.
  private static let expected = ExitStatus.exited(75)

  /// Begins to record.
  ///
  /// - Throws: what starting a process throws.
  init(to path: String, broker: String) throws(MartletError) {
    self.path = path
    let own = try OwnProgram().words(["record", "--broker", broker, "-o", path])
    process = try ChildProcess(
      .init(
        executable: "/bin/sh",
        arguments: ["-c", "ulimit -f \(Self.blocks); exec \"$0\" \"$@\""] + own,
        standardOutput: .discarded, standardError: .discarded))
  }

  /// What is wrong now that the disk must have been full for a while; nil if nothing is.
  func failure() -> String? {
    let status = process.wait(timeout: .seconds(2))
    guard status == Self.expected else {
      close()
      return "a recording on a full disk: " + (status?.description ?? "it went on")
    }
    do {
      var reader = try RecordReader(path)
      var messages = 0
      while try reader.next() != nil { messages += 1 }
      if messages == 0 { return "a recording on a full disk holds no message" }
    } catch {
      return "a recording on a full disk cannot be read: \(error)"
    }
    unlink(path)
    return nil
  }

  /// Ends it at once; may be called any number of times.
  func close() {
    process.signal(SIGKILL)
    _ = process.wait(timeout: .seconds(10))
  }
}
