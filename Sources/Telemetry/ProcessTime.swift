package import Foundations
import Glibc
import TensorFiles

/// The CPU time of a process, user and system together.
package enum ProcessTime {
  /// Seconds used by this process so far.
  package static func cpuSeconds() -> Double {
    var time = timespec()
    guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Seconds used by another process so far, in steps of the kernel's tick (10 ms as a rule).
  ///
  /// - Throws: `notFound` when the process is gone.
  package static func cpuSeconds(pid: Int32) throws(MartletError) -> Double {
    let path = "/proc/\(pid)/stat"
    let text = String(decoding: try FileSystem.read(path, limit: 1 << 16), as: UTF8.self)
    // The second field is the program's name in brackets and may hold anything, brackets included.
    let fields = (text.lastIndex(of: ")").map { text[$0...] } ?? "").split(separator: " ")
    let ticks = sysconf(Int32(_SC_CLK_TCK))
    guard fields.count > 13, ticks > 0, let user = Double(fields[12]),
      let system = Double(fields[13])
    else {
      throw MartletError(
        .invalidFile, "the kernel does not tell a process's CPU time", context: ["file": path])
    }
    return (user + system) / Double(ticks)
  }
}
