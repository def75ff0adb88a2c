package import Foundations
import TensorFiles

/// The memory of a process, as the kernel counts it.
package struct ProcessMemory: Sendable, Equatable {
  /// Bytes in memory now.
  package var residentBytes: Int
  /// The most bytes that were ever in memory at once.
  package var peakBytes: Int

  /// Reads `/proc/<pid>/status`; of this process without a number.
  ///
  /// - Throws: `notFound` when the process is gone, `invalidFile` for a kernel without the figures.
  package static func read(pid: Int32? = nil) throws(MartletError) -> ProcessMemory {
    let path = "/proc/\(pid.map(String.init) ?? "self")/status"
    let text = try FileSystem.readText(path, limit: 1 << 20)
    guard let resident = kilobytes("VmRSS:", in: text), let peak = kilobytes("VmHWM:", in: text)
    else {
      throw MartletError(
        .invalidFile, "the kernel does not tell a process's memory", context: ["file": path])
    }
    return ProcessMemory(residentBytes: resident << 10, peakBytes: peak << 10)
  }

  private static func kilobytes(_ field: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix(field) {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }
    return nil
  }
}
