import Glibc
import JSONCoding
import Processes
import Recording
import TensorFiles
import Testing
import WireProtocol

/// Four workers, a client, a recorder and a report, all processes of their own: what the report says
/// against what the client counted, what was recorded, and what the kernel knows.
@Suite(.serialized) struct ObservingTests {
  @Test func theReportAgreesWithClientRecordingAndKernel() throws {
    try Workplace.with { workplace in
      let plan = try workplace.run("plan", "demo.onnx", "--devices", "4", "-o", "plan")
      try #require(plan.status == .exited(0), "\(plan.error)")
      try withEmbeddedBroker { broker in
        let address = ["--broker", broker.socketAddress]
        let recorder = try workplace.start(
          ["record", "-o", "flight.rec"] + address, name: "record")
        defer { recorder.stop(patience: .zero) }
        let names = (0..<4).map { "d\($0)" }
        let workers = try names.map {
          try workplace.start(
            ["worker", "--plan", "plan", "--device", $0, "--deadline", "5s"] + address, name: $0)
        }
        defer { for worker in workers { worker.stop(patience: .zero) } }
        let client = try workplace.run(
          [
            "run", "--plan", "plan", "--images", "digits.tar", "--frames", "200", "--deadline",
            "5s",
            "--json",
          ] + address, seconds: 120)
        try #require(client.status == .exited(0), "\(client.error)")
        var peaks: [Int] = []
        for worker in workers {
          let status = try FileSystem.readText("/proc/\(worker.processID)/status")
          peaks.append(try kilobytes("VmHWM:", status) << 10)
          worker.signal(SIGTERM)
        }
        for worker in workers { #expect(worker.wait(timeout: .seconds(20)) == .exited(0)) }
        recorder.signal(SIGINT)
        #expect(recorder.wait(timeout: .seconds(20)) == .exited(0))

        let output = try workplace.run("report", "--from", "flight.rec", "--json")
        let report = try #require(output.json.first ?? nil, "\(output.error)")
        let summary = try #require(client.json.last ?? nil)
        let total = report[path: "runs", "0", "total"]
        #expect(total?["frames"] == .integer(200))
        #expect(total?[path: "top1", "of"] == .integer(200))
        #expect(total?[path: "top1", "correct"] == summary["correct"])
        #expect(total?[path: "top1", "accuracy"] == summary["accuracy"])
        #expect(total?["degraded_frames"] == .integer(0))

        let joules = try recordedJoules(workplace.path("flight.rec"))
        for (index, name) in names.enumerated() {
          let figures = report[path: "devices", "\(index)", "figures"]
          #expect(figures?["device"] == .string(name))
          // Nothing is missing in any answer, so each device has computed every frame to its end.
          #expect(figures?["frames"] == .integer(200))
          guard case .number(let energy)? = figures?[path: "energy", "joules"],
            case .integer(let peak)? = figures?[path: "memory", "peak_resident_bytes"]
          else {
            Issue.record("no figures of \(name)")
            continue
          }
          #expect(abs(energy - (joules[name] ?? 0)) < 1e-9)
          // The kernel was asked before the goodbye, which takes some memory of its own.
          #expect(abs(Int(peak) - peaks[index]) < 2 << 20, "\(peak), \(peaks[index])")
        }
      }
    }
  }

  private func kilobytes(_ field: String, _ status: String) throws -> Int {
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(field) })
    return try #require(
      line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
  }

  /// The sum of the samples of each device, read without the report.
  private func recordedJoules(_ path: String) throws -> [String: Double] {
    var reader = try RecordReader(path)
    var sums: [String: Double] = [:]
    while let message = try reader.next() {
      let levels = message.topic.split(separator: "/").map(String.init)
      guard levels.count == 6, levels[3] == "metric", levels[5] == "energy" else { continue }
      let metric = try EnergyMetric(payload: message.payload, source: message.topic)
      sums[levels[4], default: 0] += metric.joules
    }
    return sums
  }
}
