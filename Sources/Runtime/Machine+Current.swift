import Foundations
import Kernels
package import Plan
import TensorFiles

extension DeviceProfile.Machine {
  /// The machine under this process, and the kernels with which it multiplies.
  package static var current: DeviceProfile.Machine {
    DeviceProfile.Machine(
      processor: String(processorName.prefix(128)), kernels: OpenBLASCore.inUse.title)
  }

  /// As the system calls it, or what is known of its instructions.
  private static var processorName: String {
    let lines = (try? FileSystem.readText("/proc/cpuinfo", limit: 1 << 20))?.split(separator: "\n")
    for line in lines ?? [] where line.hasPrefix("model name") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = line[line.index(after: colon)...].drop { $0 == " " }
      if !name.isEmpty { return String(name) }
    }
    return "\(Processor.current)"
  }
}
