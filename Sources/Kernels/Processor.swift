import CKernels
import Glibc

/// What the processor has, as far as it decides which kernels run fast on it.
package enum Processor: Sendable, Equatable {
  /// The steps of x86's vector instructions for which kernels are written.
  package enum Level: Int, Sendable, Comparable, CaseIterable {
    /// SSE2 or a little more.
    case baseline
    /// AVX without FMA.
    case avx
    /// AVX2 and FMA.
    case avx2
    /// AVX-512 F, CD, BW, DQ and VL.
    case avx512

    /// Orders by width.
    package static func < (lhs: Level, rhs: Level) -> Bool { lhs.rawValue < rhs.rawValue }
  }

  /// Who designed an arm64 core, and which of theirs it is, as in its MIDR register.
  package struct ArmPart: Sendable, Hashable {
    /// 0x41 is Arm.
    package var implementer: Int
    /// 0xd0b is a Cortex-A76.
    package var part: Int

    /// A core by its numbers.
    package init(implementer: Int, part: Int) {
      self.implementer = implementer
      self.part = part
    }
  }

  /// An x86 processor, with what it and the system allow.
  case x86(Level, isAMD: Bool)
  /// An arm64 processor, with each kind of core that it has.
  case arm([ArmPart])
  /// Another, about which nothing is known.
  case other

  /// The processor under this process.
  package static let current: Processor = {
    switch Int(ck_x86_level()) {
    case CK_X86_AVX512: .x86(.avx512, isAMD: ck_x86_is_amd() != 0)
    case CK_X86_AVX2: .x86(.avx2, isAMD: ck_x86_is_amd() != 0)
    case CK_X86_AVX: .x86(.avx, isAMD: ck_x86_is_amd() != 0)
    case CK_X86_BASELINE: .x86(.baseline, isAMD: ck_x86_is_amd() != 0)
    default: arm(cpuinfo: readText("/proc/cpuinfo"))
    }
  }()

  /// An arm64 processor from what the kernel says in `/proc/cpuinfo`: a block of lines for each core,
  /// of which `CPU implementer` and `CPU part` count. `.other` if there are none.
  package static func arm(cpuinfo: String) -> Processor {
    var parts: [ArmPart] = []
    var implementer: Int?
    for line in cpuinfo.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = line[..<colon].drop(while: \.isWhitespace)
      let value = hexadecimal(line[line.index(after: colon)...])
      if key.hasPrefix("CPU implementer") {
        implementer = value
      } else if key.hasPrefix("CPU part"), let implementer, let value {
        let part = ArmPart(implementer: implementer, part: value)
        if !parts.contains(part) { parts.append(part) }
      }
    }
    return parts.isEmpty ? .other : .arm(parts)
  }

  private static func hexadecimal(_ text: Substring) -> Int? {
    let digits = text.filter { !$0.isWhitespace }
    return digits.hasPrefix("0x") ? Int(digits.dropFirst(2), radix: 16) : nil
  }

  /// A small file of the system's; empty if it cannot be read.
  private static func readText(_ path: String) -> String {
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 18)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}

extension Processor: CustomStringConvertible {
  /// In words: `x86_64 with AVX2 and FMA`.
  package var description: String {
    switch self {
    case .x86(.baseline, _): "x86_64 without AVX"
    case .x86(.avx, _): "x86_64 with AVX"
    case .x86(.avx2, _): "x86_64 with AVX2 and FMA"
    case .x86(.avx512, _): "x86_64 with AVX-512"
    case .arm(let parts):
      "arm64 of part "
        + parts.map {
          "0x\(String($0.implementer, radix: 16))/0x\(String($0.part, radix: 16))"
        }.joined(separator: ", ")
    case .other: "unknown"
    }
  }
}
