import Glibc
import Kernels
import Logging
import WireProtocol

extension DeviceDescription.Hardware {
  /// The machine on which this process runs.
  static var ofThisMachine: DeviceDescription.Hardware {
    var names = utsname()
    uname(&names)
    var hardware = DeviceDescription.Hardware(
      architecture: text(&names.machine), cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
      memoryBytes: UInt64(
        max(0, sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)))),
      system: text(&names.sysname) + " " + text(&names.release))
    hardware.kernels = OpenBLASCore.inUse.title
    return hardware
  }

  /// Says in the log with which kernels this process computes, loudly if others would be faster.
  static func logKernels(_ logger: Logger) {
    let core = OpenBLASCore.inUse
    logger.info("computes with OpenBLAS's \(core.summary)")
    if let warning = core.warning { logger.warning("\(warning)") }
  }

  private static func text<Field>(_ field: inout Field) -> String {
    withUnsafeBytes(of: &field) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
