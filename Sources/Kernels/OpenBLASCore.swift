import COpenBLAS
import Glibc

/// The set of kernels with which OpenBLAS multiplies ("core type"), and whether it suits the processor.
///
/// OpenBLAS chooses by the processor's model number, and takes the slowest kernels on one that is
/// younger than itself: SSE3 on an x86 processor with AVX-512, which then takes three to four times
/// as long. The choice is made while the library is loaded and can only be changed before, by
/// `OPENBLAS_CORETYPE` in the environment. The `martlet` executable starts itself again with that
/// variable where it must; a program that uses the library looks at `warning`.
package struct OpenBLASCore: Sendable, Equatable {
  /// Why it is this one.
  package enum Origin: Sendable, Equatable {
    /// OpenBLAS chose it.
    case chosen
    /// `OPENBLAS_CORETYPE` was set by hand, and stays.
    case given
    /// Martlet corrected what OpenBLAS had chosen.
    case corrected(from: String)
  }

  /// OpenBLAS's name for it: `Haswell`, `SkylakeX`, `neoversen1`.
  package let name: String
  /// Why it is this one.
  package let origin: Origin
  /// The processor that it runs on.
  package let processor: Processor
  /// The name of one that would be faster here; nil if there is none, or the library has none.
  package let better: String?

  /// Judges a core.
  ///
  /// - Parameters:
  ///   - knows: whether the library has kernels of that name.
  package init(
    name: String, origin: Origin, processor: Processor, knows: (String) -> Bool
  ) {
    self.name = name
    self.origin = origin
    self.processor = processor
    better = CoreTable.better(than: name, on: processor)?.first(where: knows)
  }

  /// The one with which this process computes.
  package static let inUse: OpenBLASCore = {
    let name = openblas_get_corename().map { String(cString: $0) } ?? "unknown"
    return OpenBLASCore(
      name: name,
      origin: origin(
        coreType: variable("OPENBLAS_CORETYPE"),
        correction: variable(ComputeCorrection.noteVariable)),
      processor: .current
    ) { dlsym(nil, "gotoblas_" + $0.uppercased()) != nil }
  }()

  /// Who wanted a core, from the two variables that tell.
  package static func origin(coreType: String?, correction: String?) -> Origin {
    guard let coreType else { return .chosen }
    guard let note = correction.flatMap(ComputeCorrection.Note.init(text:)),
      let from = note.core, note.better == coreType
    else { return .given }
    return .corrected(from: from)
  }

  /// Whether its instructions are more than the processor has: the first product would end the
  /// process.
  package var isBeyondProcessor: Bool {
    guard case .x86(let level, _) = processor, let needed = CoreTable.level(of: name) else {
      return false
    }
    return needed > level
  }

  /// Library, version and core in a few words, and what is wrong with it: `OpenBLAS 0.3.21 Zen`.
  package var title: String {
    "OpenBLAS \(Self.libraryVersion) \(name)" + (better.map { ", slower than \($0)" } ?? "")
  }

  /// One line about it: `Haswell kernels, chosen by OpenBLAS`.
  package var summary: String {
    switch origin {
    case .chosen: "\(name) kernels, chosen by OpenBLAS"
    case .given: "\(name) kernels, set by OPENBLAS_CORETYPE"
    case .corrected(let from):
      "\(name) kernels, corrected: OpenBLAS itself chose \(from), which is slower on this processor"
    }
  }

  /// What a user should know; nil if all is well.
  package var warning: String? {
    guard let better else { return nil }
    return
      "OpenBLAS computes with \(name) kernels although the processor (\(processor)) has faster "
      + "ones; set OPENBLAS_CORETYPE=\(better) in the environment"
  }

  /// The library's version: the second word of what it says of itself.
  package static let libraryVersion: String = {
    let words = openblas_get_config().map { String(cString: $0) }?.split(separator: " ") ?? []
    return words.count > 1 ? String(words[1]) : "of unknown version"
  }()

  /// How many threads the library started for itself as it was loaded, the calling one included; they
  /// are not used.
  package static let libraryThreads = Int(openblas_get_num_threads())

  static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
