import Foundations
import Glibc
import JSONCoding
import Processes
import TensorFiles
import Testing

extension CommandTests {
  /// Waits until a text stands in a command's standard error.
  private func wait(_ place: Workplace, _ word: String, of name: String) throws -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      if ((try? FileSystem.readText(place.path(name + ".err"))) ?? "").contains(word) {
        return true
      }
      usleep(20_000)
    }
    return false
  }

  private func makePlan(_ place: Workplace) throws {
    let made = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
    try #require(made.status == .exited(0), "\(made.error)")
  }

  /// Whoever is missing is named before the patience ends.
  @Test func whoIsWaitedForIsSaid() throws {
    try Workplace.with { place in
      try makePlan(place)
      try withEmbeddedBroker { broker in
        let worker = try place.start(
          ["worker", "--broker", broker.socketAddress, "--plan", "plan", "--device", "d0"],
          name: "worker")
        defer { worker.stop(patience: .seconds(2)) }
        // For ever: the wait ends when the other worker comes.
        let run = try place.start(
          [
            "run", "--broker", broker.socketAddress, "--plan", "plan", "--images", "digits.tar",
            "--frames", "2", "--patience", "600s", "--json",
          ])
        defer { run.stop(patience: .zero) }
        #expect(try wait(place, "waiting for d1 (nothing heard)", of: "run"))
        let other = try place.start(
          ["worker", "--broker", broker.socketAddress, "--plan", "plan", "--device", "d1"],
          name: "other")
        defer { other.stop(patience: .seconds(2)) }
        #expect(run.wait(timeout: .seconds(60)) == .exited(0))
      }
    }
  }

  /// A device whose next heartbeat is far away is not one that was never started.
  @Test func rareHeartbeatsAreNotAbsentWorkers() throws {
    try Workplace.with { place in
      try makePlan(place)
      try withEmbeddedBroker { broker in
        let workers = try ["d0", "d1"].map {
          try place.start(
            [
              "worker", "--broker", broker.socketAddress, "--plan", "plan", "--device", $0,
              "--heartbeat", "60s",
            ], name: $0)
        }
        defer { for worker in workers { worker.stop(patience: .seconds(2)) } }
        for name in ["d0", "d1"] { try #require(try wait(place, "ready", of: name)) }
        let run = try place.run(
          "run", "--broker", broker.socketAddress, "--plan", "plan", "--images", "digits.tar",
          "--patience", "3s", seconds: 60)
        #expect(run.status == .exited(69), "\(run.error)")
        for word in ["waiting for d0 (said that it was ready", "every 60 s", "--heartbeat"] {
          #expect(run.error.contains(word), "\(run.error)")
        }
        #expect(!run.error.contains("start the workers"), "\(run.error)")
      }
    }
  }

  /// A broker that is not there at boot is waited for, with few words, and nothing stands in the way of
  /// a signal.
  @Test(arguments: ["worker", "gateway"])
  func servicesWaitForTheirBroker(command: String) throws {
    try Workplace.with { place in
      try makePlan(place)
      try withEmbeddedBroker { broker in
        broker.shutDown()
        let arguments =
          [command, "--broker", broker.networkAddress, "--plan", "plan"]
          + (command == "worker" ? ["--device", "d0"] : [])
        let patient = try place.start(arguments, name: "patient")
        defer { patient.stop(patience: .zero) }
        let stopped = try place.start(arguments, name: "stopped")
        defer { stopped.stop(patience: .zero) }
        for name in ["patient", "stopped"] {
          try #require(try wait(place, "No broker is listening", of: name))
        }
        stopped.signal(SIGTERM)
        #expect(stopped.wait(timeout: .seconds(30)) == .exited(0))
        try broker.restart()
        #expect(try wait(place, "ready", of: "patient"))
        patient.signal(SIGTERM)
        #expect(patient.wait(timeout: .seconds(30)) == .exited(0))
      }
    }
  }

  /// Messages that are not acknowledged are dropped without a word; the word is asked for.
  @Test func whatABrokerForbidsIsNotReplayed() throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        let recorder = try place.start(
          ["record", "--broker", broker.socketAddress, "-o", "a.rec", "--frames", "2"], name: "a")
        defer { recorder.stop(patience: .zero) }
        try #require(try wait(place, "recording", of: "a"))
        let script = """
          for n in 1 2 3 4 5; do mosquitto_pub -p \(broker.port) -t martlet/1/default/act/x/d0 -m $n; done
          mosquitto_pub -p \(broker.port) -t martlet/1/default/result/c1 -m '{}' -q 1
          mosquitto_pub -p \(broker.port) -t martlet/1/default/result/c1 -m '{}' -q 1
          """
        let publisher = try ChildProcess(
          .init(executable: "/bin/sh", arguments: ["-c", script]))
        #expect(publisher.wait(timeout: .seconds(60)) == .exited(0))
        #expect(recorder.wait(timeout: .seconds(30)) == .exited(0))
      }
      chmod(place.folder, 0o755)
      try place.write(Array("topic readwrite martlet/1/+/result/+\n".utf8), to: "rights")
      chmod(place.path("rights"), 0o644)
      let broker = try EmbeddedBroker(extraConfiguration: "acl_file \(place.path("rights"))")
      defer { broker.stop() }
      let replay = try place.run(
        "replay", "a.rec", "--broker", broker.socketAddress, "--speed", "max")
      #expect(replay.status == .exited(77), "\(replay.error)")
      #expect(
        replay.output.contains("2 messages published")
          && replay.output.contains("5 refused by the broker"), "\(replay.output)")
      #expect(
        replay.error.contains("5 of 7 messages") && replay.error.contains("act/x/d0")
          && replay.error.contains("access list"), "\(replay.error)")
    }
  }
}
