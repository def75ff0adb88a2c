package import Foundations
import Glibc

/// Small facts about this machine and process.
package enum System {
  /// A TCP port on 127.0.0.1 that nobody listens on now. Another program may take it before the
  /// caller does: try again then.
  ///
  /// - Throws: `io` when the system gives none.
  package static func freeLoopbackPort() throws(MartletError) -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
    defer { if descriptor >= 0 { Glibc.close(descriptor) } }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let done = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard descriptor >= 0, done else {
      throw MartletError(.io, "No free port: \(String(cString: strerror(errno)))")
    }
    return UInt16(bigEndian: name.sin_port)
  }

  /// The absolute path of the running program.
  ///
  /// - Throws: `io` when `/proc` is not mounted.
  package static func executablePath() throws(MartletError) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { throw MartletError(.io, "The program's own path cannot be read") }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Starts this program again in this process, with the same arguments and some more variables in
  /// the environment. Returns only if that fails; nothing but the variables has changed then.
  package static func startAgain(setting variables: [(name: String, value: String)]) {
    for variable in variables { setenv(variable.name, variable.value, 1) }
    // By its own path, after which the system names the process; where that has been replaced by a
    // newer version, by the link to what runs now.
    if let path = try? executablePath() { execv(path, CommandLine.unsafeArgv) }
    execv("/proc/self/exe", CommandLine.unsafeArgv)
  }

  /// Finds a program in `$PATH` and in the folders of system programs, which an ordinary user's
  /// `$PATH` lacks.
  package static func findExecutable(_ name: String) -> String? {
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    let folders =
      path.split(separator: ":").map(String.init) + [
        "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin",
      ]
    return folders.filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }
      .first { access($0, X_OK) == 0 }
  }
}

/// What a process uses, from `/proc`.
package struct ProcessReading: Sendable, Equatable {
  /// Memory in RAM now, in bytes.
  package var residentBytes: Int
  /// The most memory it ever had in RAM, in bytes.
  package var peakResidentBytes: Int
  /// Processor time in user and kernel mode, all threads, in seconds.
  package var cpuSeconds: Double

  /// Reads one process, or this one.
  ///
  /// - Throws: `notFound` when there is no such process.
  package init(of processID: Int32? = nil) throws(MartletError) {
    let folder = "/proc/\(processID.map(String.init) ?? "self")"
    guard let status = readSmallFile("\(folder)/status"),
      let stat = readSmallFile("\(folder)/stat"),
      // The name in parentheses may hold anything, so count from its end.
      let end = stat.lastIndex(of: ")")
    else {
      throw MartletError(
        .notFound, "There is no such process", context: ["process": "\(processID ?? getpid())"])
    }
    func kilobytes(_ key: String) -> Int {
      let line = status.split(separator: "\n").first { $0.hasPrefix(key) }
      return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        .flatMap { Int($0) } ?? 0
    }
    residentBytes = kilobytes("VmRSS:") * 1024
    peakResidentBytes = kilobytes("VmHWM:") * 1024
    // Fields 14 and 15 of proc(5), counted from field 3 after the name.
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    let ticks = fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
    cpuSeconds = Double(ticks) / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
  }
}

extension ProcessReading {
  /// How many descriptors a process has open; nil when it is gone or somebody else's.
  package static func descriptors(of processID: Int32) -> Int? {
    guard let stream = opendir("/proc/\(processID)/fd") else { return nil }
    defer { closedir(stream) }
    var count = 0
    while readdir(stream) != nil { count += 1 }
    // Without the folder itself and its parent.
    return max(0, count - 2)
  }
}

/// Reads the first `limit` bytes of a file, or a little more, as text; nil when it cannot be read.
func readSmallFile(_ path: String, limit: Int = 65536) -> String? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { Glibc.close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4096)
  while bytes.count < limit {
    let count = read(descriptor, &chunk, chunk.count)
    if count <= 0 { break }
    bytes += chunk[..<count]
  }
  return String(decoding: bytes, as: UTF8.self)
}
