import Kernels
import Testing

/// What OpenBLAS chose, what the processor has, and what follows.
@Suite struct OpenBLASCoreTests {
  /// The names that Debian 12's builds know.
  static let debianX86: Set = [
    "Prescott", "Nehalem", "Barcelona", "Sandybridge", "Haswell", "Zen", "Excavator", "SkylakeX",
  ]
  static let debianArm: Set = [
    "ARMV8", "CORTEXA53", "CORTEXA55", "CORTEXA57", "CORTEXA72", "CORTEXA73", "NEOVERSEN1",
    "NEOVERSEN2", "NEOVERSEV1",
  ]

  struct Case: CustomTestStringConvertible, Sendable {
    var core: String
    var processor: Processor
    var known: Set<String>
    var better: String?
    var isBeyond = false
    var testDescription: String { "\(core) on \(processor)" }
  }

  static func x86(
    _ core: String, _ level: Processor.Level, isAMD: Bool = false, known: Set<String> = debianX86,
    _ better: String?, isBeyond: Bool = false
  ) -> Case {
    Case(
      core: core, processor: .x86(level, isAMD: isAMD), known: known, better: better,
      isBeyond: isBeyond)
  }

  static func arm(
    _ core: String, _ parts: [Int], implementer: Int = 0x41, known: Set<String> = debianArm,
    _ better: String?
  ) -> Case {
    Case(
      core: core, processor: .arm(parts.map { .init(implementer: implementer, part: $0) }),
      known: known, better: better)
  }

  static let cases: [Case] = [
    // A Xeon younger than the library; a laptop whose maker left AVX-512 out; an AMD of 2024.
    x86("Prescott", .avx512, "SkylakeX"),
    x86("Prescott", .avx2, "Haswell"),
    x86("Barcelona", .avx512, isAMD: true, "SkylakeX"),
    x86("Barcelona", .avx2, isAMD: true, "Zen"),
    x86("Zen", .avx512, isAMD: true, "SkylakeX"),
    x86("Haswell", .avx512, "SkylakeX"),
    x86("Nehalem", .avx, "Sandybridge"),
    // As it should be.
    x86("SkylakeX", .avx512, nil),
    x86("Cooperlake", .avx512, nil),
    x86("Haswell", .avx2, nil),
    x86("Zen", .avx2, isAMD: true, nil),
    x86("Excavator", .avx2, isAMD: true, nil),
    x86("Piledriver", .avx, isAMD: true, nil),
    x86("Prescott", .baseline, nil),
    // A name from the future says nothing.
    x86("Diamondrapids", .avx512, nil),
    // A library with fewer kernels, and one that does not show them.
    x86("Prescott", .avx512, known: ["Prescott", "Haswell"], "Haswell"),
    x86("Prescott", .avx512, known: [], nil),
    // More than the processor has: only by hand.
    x86("SkylakeX", .avx2, nil, isBeyond: true),
    x86("Haswell", .avx, nil, isBeyond: true),
    // Raspberry Pi 5, Orin, Pi 4, Pi 3, and a processor of two kinds of cores on either of them.
    arm("armv8", [0xd0b], "NEOVERSEN1"),
    arm("armv8", [0xd42], "NEOVERSEN1"),
    arm("cortexa72", [0xd08], nil),
    arm("armv8", [0xd08], "CORTEXA72"),
    arm("cortexa53", [0xd03], nil),
    arm("cortexa55", [0xd05, 0xd0b], "NEOVERSEN1"),
    arm("armv8", [0xd0b, 0xd05], "NEOVERSEN1"),
    arm("neoversen1", [0xd05, 0xd0b], nil),
    // SVE is left to the library's own choice.
    arm("neoversev1", [0xd40], nil),
    arm("neoversen2", [0xd49], nil),
    arm("neoversen1", [0xd40], nil),
    arm("armv8", [0x020], implementer: 0x61, "NEOVERSEN1"),
    arm("armv8", [0xfff], nil),
    arm("armv8", [0xd0b], known: ["ARMV8", "CORTEXA57"], "CORTEXA57"),
    // A kind of kernels that is another maker's.
    arm("tsv110", [0xd01], implementer: 0x48, nil),
    Case(core: "POWER9", processor: .other, known: ["POWER9"], better: nil),
  ]

  @Test(arguments: cases)
  func core(_ example: Case) {
    let core = OpenBLASCore(
      name: example.core, origin: .chosen, processor: example.processor,
      knows: example.known.contains)
    #expect(core.better == example.better)
    #expect(core.isBeyondProcessor == example.isBeyond)
    #expect((core.warning == nil) == (example.better == nil))
  }

  @Test func cpuinfo() {
    let text = """
      processor\t: 0
      BogoMIPS\t: 108.00
      CPU implementer\t: 0x41
      CPU architecture: 8
      CPU variant\t: 0x4
      CPU part\t: 0xd05

      processor\t: 4
      CPU implementer\t: 0x41
      CPU part\t: 0xd0b

      processor\t: 5
      CPU implementer\t: 0x41
      CPU part\t: 0xd0b
      """
    #expect(
      Processor.arm(cpuinfo: text)
        == .arm([.init(implementer: 0x41, part: 0xd05), .init(implementer: 0x41, part: 0xd0b)]))
    #expect(Processor.arm(cpuinfo: "") == .other)
    #expect(Processor.arm(cpuinfo: "CPU part : 0xd0b\nCPU implementer : what") == .other)
  }

  /// The processor under the tests runs the kernels that the library chose for it.
  @Test func ofThisMachine() {
    let core = OpenBLASCore.inUse
    #expect(!core.name.isEmpty)
    #expect(!core.isBeyondProcessor)
  }
}

/// When the program is started again, and with what.
@Suite struct ComputeCorrectionTests {
  /// By default: the wrong core on a machine without limits.
  private func correction(
    core: String = "Prescott", coreType: String? = nil, threads: Int = 4, isLimited: Bool = false,
    note: String? = nil
  ) -> [String]? {
    let used = OpenBLASCore(
      name: core, origin: .chosen, processor: .x86(.avx512, isAMD: false),
      knows: OpenBLASCoreTests.debianX86.contains)
    return ComputeCorrection(
      .init(
        core: used, coreType: coreType, libraryThreads: threads, isMemoryLimited: isLimited,
        note: note, process: 7)
    )?.variables.map { "\($0.name)=\($0.value)" }
  }

  @Test func core() {
    #expect(
      correction() == [
        "OPENBLAS_CORETYPE=SkylakeX", "MARTLET_COMPUTE_CORRECTION=7 Prescott SkylakeX",
      ])
    #expect(correction(core: "SkylakeX") == nil)
  }

  @Test func aVariableSetByHandStays() {
    #expect(correction(coreType: "Prescott") == nil)
    #expect(correction(coreType: "") == nil)
  }

  /// Threads that nobody uses, where memory is limited.
  @Test func threads() {
    #expect(
      correction(core: "SkylakeX", isLimited: true) == [
        "OPENBLAS_NUM_THREADS=1", "MARTLET_COMPUTE_CORRECTION=7",
      ])
    #expect(correction(core: "SkylakeX", threads: 1, isLimited: true) == nil)
    #expect(
      correction(isLimited: true) == [
        "OPENBLAS_CORETYPE=SkylakeX", "OPENBLAS_NUM_THREADS=1",
        "MARTLET_COMPUTE_CORRECTION=7 Prescott SkylakeX",
      ])
  }

  /// The second start has the same process id: whatever it finds, it does not start again.
  @Test func once() {
    #expect(correction(note: "7 Prescott SkylakeX") == nil)
    #expect(correction(isLimited: true, note: "7") == nil)
  }

  /// A child finds the note of its parent, and decides anew.
  @Test func aNoteOfAnotherProcess() {
    #expect(correction(note: "6") != nil)
    #expect(correction(note: "not ours") != nil)
    #expect(
      correction(coreType: "SkylakeX", isLimited: true, note: "6 Prescott SkylakeX") == [
        "OPENBLAS_NUM_THREADS=1", "MARTLET_COMPUTE_CORRECTION=7 Prescott SkylakeX",
      ])
  }

  @Test func origin() {
    func origin(_ coreType: String?, _ note: String?) -> OpenBLASCore.Origin {
      OpenBLASCore.origin(coreType: coreType, correction: note)
    }
    #expect(origin(nil, nil) == .chosen)
    #expect(origin(nil, "6 Prescott SkylakeX") == .chosen)
    #expect(origin("SkylakeX", nil) == .given)
    #expect(origin("SkylakeX", "6") == .given)
    #expect(origin("SkylakeX", "6 Prescott SkylakeX") == .corrected(from: "Prescott"))
    #expect(origin("Haswell", "6 Prescott SkylakeX") == .given)
  }
}
