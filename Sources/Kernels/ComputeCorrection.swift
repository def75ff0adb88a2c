import Foundations
import Glibc

/// What must be different in the environment before OpenBLAS is loaded. As that happens before a
/// program's first line, the program has to be started again, by itself and at most once.
package struct ComputeCorrection: Sendable, Equatable {
  /// The variables to set.
  package let variables: [(name: String, value: String)]

  /// Where a correction leaves a note for the process that it starts.
  static let noteVariable = "MARTLET_COMPUTE_CORRECTION"

  /// What was corrected, by which process: `exec` keeps its id, so the note of one's own id means that
  /// this is the second start, and one that came from a parent means nothing.
  struct Note: Equatable {
    var process: Int32
    /// The core that OpenBLAS had chosen, and that was set; nil if it was left alone.
    var core: String?
    var better: String?

    init(process: Int32, core: String?, better: String?) {
      self.process = process
      self.core = core
      self.better = better
    }

    init?(text: String) {
      let fields = text.split(separator: " ", omittingEmptySubsequences: false)
      guard fields.count == 1 || fields.count == 3, let process = Int32(fields[0]) else {
        return nil
      }
      self.process = process
      if fields.count == 3 {
        core = String(fields[1])
        better = String(fields[2])
      }
    }

    var text: String {
      guard let core, let better else { return "\(process)" }
      return "\(process) \(core) \(better)"
    }
  }

  /// What decides.
  package struct Situation {
    package var core: OpenBLASCore
    /// `OPENBLAS_CORETYPE`, if somebody set it.
    package var coreType: String?
    /// How many threads OpenBLAS keeps for itself.
    package var libraryThreads: Int
    /// Whether the process may only have so much memory.
    package var isMemoryLimited: Bool
    package var note: String?
    package var process: Int32

    package init(
      core: OpenBLASCore, coreType: String?, libraryThreads: Int, isMemoryLimited: Bool,
      note: String?, process: Int32
    ) {
      self.core = core
      self.coreType = coreType
      self.libraryThreads = libraryThreads
      self.isMemoryLimited = isMemoryLimited
      self.note = note
      self.process = process
    }
  }

  /// What to change; nil if all is well, if the user wanted it so, or if this is the second start.
  package init?(_ situation: Situation) {
    let note = situation.note.flatMap(Note.init(text:))
    if let note, note.process == situation.process { return nil }
    var variables: [(name: String, value: String)] = []
    let better = situation.coreType == nil ? situation.core.better : nil
    if let better { variables.append(("OPENBLAS_CORETYPE", better)) }
    // Each thread of OpenBLAS's own, for which there is no use here, takes 128 MiB of addresses as
    // it starts, and asks for ever when it is refused.
    if situation.isMemoryLimited, situation.libraryThreads > 1 {
      variables.append(("OPENBLAS_NUM_THREADS", "1"))
    }
    guard !variables.isEmpty else { return nil }
    // What a parent corrected is still true if this only corrects the threads.
    let core = better == nil ? note?.core : situation.core.name
    let text = Note(process: situation.process, core: core, better: better ?? note?.better).text
    variables.append((Self.noteVariable, text))
    self.variables = variables
  }

  /// What this process needs.
  package static func needed() -> ComputeCorrection? {
    ComputeCorrection(
      Situation(
        core: .inUse, coreType: OpenBLASCore.variable("OPENBLAS_CORETYPE"),
        libraryThreads: OpenBLASCore.libraryThreads, isMemoryLimited: MemoryLimit.isSet,
        note: OpenBLASCore.variable(noteVariable), process: getpid()))
  }

  /// Compares the variables.
  package static func == (lhs: ComputeCorrection, rhs: ComputeCorrection) -> Bool {
    lhs.variables.elementsEqual(rhs.variables) { $0 == $1 }
  }
}
