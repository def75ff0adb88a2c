import Chaos
import Engine
import Foundations
import Glibc
import MQTT
import Plan
import Planning
import Processes
import Runtime
import TensorFiles
import Tensors
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// Workers that stand still for a moment, and workers whose numbers are none, with the default
  /// deadline.
  @Suite(.serialized) struct Stalls {
    private static let shares = [1.0, 1.0, 1.0, 1.0]

    private func patient(_ configuration: inout ClientConfiguration) {
      configuration.deadline = .standard
    }

    /// Nobody is dead, so nothing is lost, however many frames are under way.
    @Test(arguments: [false, true], [1, 4, 8])
    func momentsOfStandingStillCostNoAnswer(isCoded: Bool, inFlight: Int) throws {
      let seed = UInt64.random(in: 0..<1_000_000)
      let placing: (([LayerTraits]) throws -> [LayerPlacement])? =
        isCoded ? { try Placing.coded($0, shares: Self.shares, tolerating: 1) } : nil
      try Deployment.with(placing: placing) { deployment in
        deployment.workerOptions = ["--log-level", "info"]
        try deployment.startAll()
        let reference = try deployment.reference()
        let inputs = try (0..<20).map { try deployment.digits[$0] }
        let expected = try inputs.map { try reference.run([$0], alive: deployment.alive()) }
        try deployment.withClient(patient) { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<50 { _ = try client.answer(inputs[index % 20]) }
          let staller = Staller(
            deployment.names.compactMap { deployment.workers[$0] },
            StallSchedule(seed: seed, devices: 4, lengths: 50...300, pauses: 200...800))
          defer { staller.stop() }
          var numbers: [Int: Int] = [:]
          var sent = 0
          while staller.stalls.count < 12 || client.framesInFlight > 0 {
            while staller.stalls.count < 12, client.framesInFlight < inFlight {
              numbers[try client.submit(inputs[sent % 20])] = sent % 20
              sent += 1
            }
            guard client.framesInFlight > 0 else { break }
            let answer = try client.next()
            let known = numbers.removeValue(forKey: answer.ticket)
            let index = try #require(known)
            #expect(answer.fills.isEmpty, "seed \(seed), frame \(answer.frame)")
            if !answer.awaited.contains(false) {
              #expect(answer.outputs == expected[index], "seed \(seed), frame \(answer.frame)")
            }
          }
        }
      }
    }

    /// A plan whose shard of one device holds nothing but NaN.
    private func planWithNonsense(
      _ folder: String, device: Int, isCoded: Bool = true
    ) throws -> PlanFolder {
      let placing: (([LayerTraits]) throws -> [LayerPlacement])? =
        isCoded ? { try Placing.coded($0, shares: Self.shares, tolerating: 1) } : nil
      let plan = try DemoModel.plan(devices: 4, placing: placing, folder: folder)
      let document = plan.path + "/plan.json"
      var text = try FileSystem.readText(document)
      let files = try FileSystem.list(plan.path).map(\.path).filter { $0.contains("d\(device)") }
      let shard = plan.path + "/" + (try #require(files.first))
      let before = try FileDigest.sha256(path: shard)
      var bytes = try FileSystem.read(shard)
      let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      for index in stride(from: 8 + length, to: bytes.count - 3, by: 4) {
        bytes.replaceSubrange(index..<index + 4, with: [0, 0, 0xc0, 0x7f])
      }
      try FileSystem.write(bytes, to: shard)
      text = try replace(before, with: try FileDigest.sha256(path: shard), in: text)
      // The id is that of the document without it, and without white space.
      let anonymous = compact(try replace(plan.id, with: "", in: text))
      let id = String(try FileDigest.sha256(anonymous).prefix(16))
      try FileSystem.write(Array(try replace(plan.id, with: id, in: text).utf8), to: document)
      return try PlanFolder(reading: plan.path)
    }

    /// JSON without the white space between its tokens.
    private func compact(_ text: String) -> [UInt8] {
      var result: [UInt8] = []
      var (isString, isEscaped) = (false, false)
      for byte in text.utf8 {
        if !isString, [0x20, 0x0a, 0x0d, 0x09].contains(byte) { continue }
        result.append(byte)
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = isString
        } else if byte == UInt8(ascii: "\"") {
          isString.toggle()
        }
      }
      return result
    }

    private func replace(_ old: String, with new: String, in text: String) throws -> String {
      let range = try #require(text.firstRange(of: old))
      return String(text[..<range.lowerBound]) + new + String(text[range.upperBound...])
    }

    /// What a device computes that has lost its mind counts as lost: named at once, and stood in for
    /// from the next frame on. It says so itself, too.
    @Test(arguments: ["f32", "f16"])
    func aWorkerThatComputesNaNIsStoodInFor(_ wire: String) throws {
      try Deployment.with(planning: { try planWithNonsense($0, device: 1) }) { deployment in
        deployment.workerOptions = ["--log-level", "info", "--wire", wire]
        try deployment.startAll()
        let reference = try deployment.reference()
        try deployment.withClient(patient) { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          var reasons: Set<String> = []
          let whole = try client.answer(try deployment.digits[0]) { answer in
            for fill in answer.fills where fill.device == "d1" { reasons.insert(fill.reason) }
            return answer.fills.isEmpty && !answer.awaited[1]
          }
          try #require(whole != nil, "it was never stood in for")
          #expect(reasons.contains("corrupt"), "\(reasons)")
          let alive = deployment.alive(but: ["d1"])
          let input = try deployment.digits[1]
          let answer = try client.answer(input)
          #expect(answer.outputs[0].floats?.allSatisfy(\.isFinite) == true)
          if wire == "f32", answer.fills.isEmpty {
            let values = try #require(answer.outputs[0].floats)
            let local = try #require(try reference.run([input], alive: alive)[0].floats)
            #expect(zip(values, local).allSatisfy { abs($0 - $1) <= 1e-4 * max(1, abs($1)) })
          }
          let isSaid = try client.answer(try deployment.digits[2]) { _ in
            deployment.standardError(of: "d1").contains("infinities or NaN")
          }
          #expect(isSaid != nil, "\(deployment.standardError(of: "d1").suffix(500))")
        }
      }
    }

    /// Without a code, too: an activation that made zeros of what is not a number would hide it.
    @Test func aWorkerThatComputesNaNIsNamedWithoutACode() throws {
      try Deployment.with(planning: {
        try planWithNonsense($0, device: 1, isCoded: false)
      }) { deployment in
        deployment.workerOptions = ["--log-level", "info"]
        try deployment.startAll()
        try deployment.withClient(patient) { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let named = try client.answer(try deployment.digits[0]) { answer in
            #expect(answer.outputs[0].floats?.allSatisfy(\.isFinite) == true)
            return answer.fills.contains { $0.device == "d1" && $0.reason == "corrupt" }
          }
          #expect(named != nil, "nobody named it")
        }
      }
    }
  }
}
