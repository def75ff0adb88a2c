import Foundations
import Kernels
import Processes
import TensorFiles
import Testing

/// A library put before OpenBLAS that makes it choose the wrong kernels, as it does on processors
/// younger than itself, and that counts how often a program starts.
private struct WrongCore {
  let workplace: Workplace
  let library: String
  let log: String

  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <unistd.h>
    __attribute__((constructor)) static void started(void) {
      // The shell that starts the program loads this too.
      if (!strcmp(program_invocation_short_name, "sh")) return;
      const char *core = getenv("OPENBLAS_CORETYPE");
      FILE *file = fopen(getenv("WRONG_CORE_LOG"), "a");
      fprintf(file, "%d %s\\n", getpid(), core ? core : "none");
      fclose(file);
    }
    char *openblas_get_corename(void) {
      char *(*real)(void) = (char *(*)(void))dlsym(RTLD_NEXT, "openblas_get_corename");
    #if defined(__aarch64__)
      return getenv("OPENBLAS_CORETYPE") ? real() : "armv8";
    #else
      return getenv("OPENBLAS_CORETYPE") ? real() : "Prescott";
    #endif
    }
    """

  init(_ workplace: Workplace) throws {
    self.workplace = workplace
    library = workplace.path("wrong.so")
    log = workplace.path("starts")
    try workplace.write(Array(Self.source.utf8), to: "wrong.c")
    try workplace.write([], to: "starts")
    let compiler = try ChildProcess(
      .init(
        executable: try #require(System.findExecutable("cc")),
        arguments: ["-shared", "-fPIC", "-o", library, workplace.path("wrong.c"), "-ldl"]))
    #expect(compiler.wait(timeout: .seconds(60)) == .exited(0))
  }

  /// Runs the executable under it.
  func run(_ arguments: [String], coreType: String? = nil) throws -> Outcome {
    try workplace.write([], to: "starts")
    var environment = try baseEnvironment()
    environment["LD_PRELOAD"] = library
    environment["WRONG_CORE_LOG"] = log
    if let coreType { environment["OPENBLAS_CORETYPE"] = coreType }
    return try workplace.run(arguments, kibibytes: nil, environment: environment)
  }

  /// Process id and `OPENBLAS_CORETYPE` at each start.
  func starts() throws -> [[String]] {
    try FileSystem.readText(log).split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
  }
}

/// An environment in which nobody chose kernels or threads.
private func baseEnvironment() throws -> [String: String] {
  var environment = ["PATH": "/usr/bin:/bin"]
  for entry in try FileSystem.read("/proc/self/environ").split(separator: 0) {
    let text = String(decoding: entry, as: UTF8.self)
    guard let equals = text.firstIndex(of: "=") else { continue }
    environment[String(text[..<equals])] = String(text[text.index(after: equals)...])
  }
  for name in ["OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "MARTLET_COMPUTE_CORRECTION"] {
    environment[name] = nil
  }
  return environment
}

/// Whether the processor has faster kernels than those that `WrongCore` has chosen.
private let hasBetter: Bool = {
  switch Processor.current {
  case .x86(let level, _): level > .baseline && System.findExecutable("cc") != nil
  case .arm: OpenBLASCore.inUse.name != "armv8" && System.findExecutable("cc") != nil
  case .other: false
  }
}()

private let lacksAVX512: Bool = {
  if case .x86(let level, _) = Processor.current { level < .avx512 } else { false }
}()

@Suite struct ComputeSetupTests {
  /// The library's wrong choice is corrected by starting the program again, in the same process, once.
  @Test(.enabled(if: hasBetter)) func aWrongCoreIsCorrectedOnce() throws {
    try Workplace.with { workplace in
      let wrong = try WrongCore(workplace)
      let told = try wrong.run(["--version", "--verbose"])
      #expect(told.status == .exited(0), "\(told.error)")
      #expect(told.output.contains("corrected: OpenBLAS itself chose"), "\(told.output)")
      #expect(!told.output.contains("warning"), "\(told.output)")
      let starts = try wrong.starts()
      #expect(starts.count == 2, "\(starts)")
      #expect(starts.first?.first == starts.last?.first)
      #expect(starts.first?.last == "none")
      #expect(starts.last?.last != "none")

      let answers = try wrong.run(["infer", "demo.onnx", "--images", "digits.tar"])
      let plain = try workplace.run("infer", "demo.onnx", "--images", "digits.tar")
      #expect(answers.status == .exited(0))
      #expect(answers.output == plain.output)
      #expect(try wrong.starts().count == 2)
    }
  }

  @Test(.enabled(if: hasBetter)) func aCoreSetByHandStays() throws {
    try Workplace.with { workplace in
      let wrong = try WrongCore(workplace)
      let slow = if case .arm = Processor.current { "ARMV8" } else { "Prescott" }
      let told = try wrong.run(["--version", "--verbose"], coreType: slow)
      #expect(told.status == .exited(0), "\(told.error)")
      #expect(told.output.lowercased().contains("kernels: \(slow.lowercased()) kernels, set by"))
      #expect(told.output.contains("warning: "), "\(told.output)")
      #expect(try wrong.starts().count == 1)
    }
  }

  @Test(.enabled(if: lacksAVX512)) func moreThanTheProcessorHasIsRefused() throws {
    try Workplace.with { workplace in
      var environment = try baseEnvironment()
      environment["OPENBLAS_CORETYPE"] = "SkylakeX"
      let outcome = try workplace.run(
        ["infer", "demo.onnx", "--images", "digits.tar"], kibibytes: nil, environment: environment)
      #expect(outcome.status == .exited(64))
      #expect(outcome.error.contains("unset OPENBLAS_CORETYPE"), "\(outcome.error)")
    }
  }

  @Test func version() throws {
    try Workplace.with { workplace in
      let told = try workplace.run(
        ["--version", "--verbose"], kibibytes: nil, environment: try baseEnvironment())
      #expect(told.status == .exited(0))
      #expect(told.output.contains("processor: \(Processor.current)"), "\(told.output)")
      #expect(told.output.contains("\nkernels: "), "\(told.output)")
      #expect(!told.output.contains("memory limit"))
      // The plain one stays what scripts read.
      #expect(try workplace.run("--version").output == "0.1.0\n")
    }
  }

  /// OpenBLAS's own threads, which nobody uses, do not take what a limited process needs.
  @Test func aLimitedProcessHasNoThreadsOfTheLibrary() throws {
    try Workplace.with { workplace in
      let told = try workplace.run(
        ["--version", "--verbose"], kibibytes: 8 << 20, environment: try baseEnvironment())
      #expect(told.status == .exited(0))
      #expect(told.output.contains("threads of its own: 1\n"), "\(told.output)")
      #expect(told.output.contains("memory limit: \(8 << 30) bytes"), "\(told.output)")
    }
  }
}
