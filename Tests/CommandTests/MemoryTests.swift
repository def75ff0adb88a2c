import Glibc
import Processes
import TensorFiles
import Testing

/// Where memory is refused, a sentence and status 75: no crash, and no process that tries for ever.
@Suite struct MemoryTests {
  /// OpenBLAS, refused its buffer, would ask again for ever.
  @Test func noRoomForOpenBLAS() throws {
    try Workplace.with { workplace in
      let limit = try workplace.smallestLimit() + (64 << 10)
      let planned = try workplace.run(
        "plan", "demo.onnx", "--devices", "2", "--method", "interleaved", "-o", "plan")
      #expect(planned.status == .exited(0), "\(planned.error)")
      for arguments in [
        ["infer", "demo.onnx", "--images", "digits.tar"],
        ["worker", "--broker", "127.0.0.1:1", "--plan", "plan", "--device", "d0"],
        ["run", "--in-process", "--plan", "plan", "--images", "digits.tar"],
        ["describe", "demo.onnx", "--time"],
      ] {
        let outcome = try workplace.run(arguments, kibibytes: limit)
        #expect(outcome.status == .exited(75), "\(arguments): \(outcome)")
        #expect(
          outcome.error.contains("no memory for the buffer that OpenBLAS multiplies in"),
          "\(arguments): \(outcome.error)")
        #expect(outcome.error.contains("ulimit -v"), "\(outcome.error)")
      }
    }
  }

  /// From the least with which the program starts up to enough: it works or says why not.
  @Test func everyLimit() throws {
    try Workplace.with { workplace in
      let least = try workplace.smallestLimit()
      var statuses: [Processes.ExitStatus?] = []
      for step in 0..<14 {
        let limit = least + step * (24 << 10)
        let outcome = try workplace.run(
          ["infer", "demo.onnx", "--images", "digits.tar"], kibibytes: limit)
        #expect(
          outcome.status == .exited(0) || outcome.status == .exited(75),
          "\(limit) KiB: \(String(describing: outcome.status)) \(outcome.error)")
        if outcome.status == .exited(75) {
          #expect(outcome.error.contains("there is no memory for"), "\(outcome.error)")
        }
        statuses.append(outcome.status)
      }
      #expect(statuses.first == .exited(75))
      #expect(statuses.last == .exited(0))
    }
  }

  /// A model's file is small whatever it asks for.
  @Test(arguments: [
    ["describe", "huge.onnx", "--time"], ["infer", "huge.onnx", "--images", "digits.tar"],
  ])
  func aHugeArena(_ arguments: [String]) throws {
    try Workplace.with { workplace in
      let model = TinyONNX(extents: [1, 3, 30000, 30000]).bytes
      #expect(model.count < 150)
      try workplace.write(model, to: "huge.onnx")
      let outcome = try workplace.run(arguments, kibibytes: 4 << 20)
      #expect(outcome.status == .exited(75), "\(outcome)")
      #expect(outcome.error.contains("there is no memory for the model's activations"))
      #expect(outcome.error.contains("bytes: 10800000000"), "\(outcome.error)")
    }
  }

  /// Files as large as memory: a sparse one takes no disk.
  @Test(arguments: ["array.npy", "weights.safetensors", "model.onnx", "digits.tar"])
  func aHugeFile(_ name: String) throws {
    try Workplace.with { workplace in
      // A header of each kind before the hole, so that sizes agree as far as they are looked at.
      let count = 900 << 20
      var head: [UInt8] = []
      if name == "array.npy" {
        let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(count),), }"
        head = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
      }
      try workplace.write(head, to: name)
      try #require(truncate(workplace.path(name), head.count + count) == 0)
      let arguments =
        switch name {
        case "array.npy": ["infer", "demo.onnx", "--tensor", name]
        case "weights.safetensors": ["infer", "demo.onnx", "--tensor", name]
        case "model.onnx": ["describe", name]
        default: ["infer", "demo.onnx", "--images", name]
        }
      let least = try workplace.smallestLimit()
      let outcome = try workplace.run(arguments, kibibytes: least + (400 << 10))
      guard case .exited(let status)? = outcome.status else {
        Issue.record("\(name): \(outcome)")
        return
      }
      #expect([65, 75].contains(status), "\(name): \(outcome)")
    }
  }
}
