package import ArgumentParser

/// `martlet`: one neural network across several devices, over MQTT.
package struct RootCommand: ParsableCommand {
  /// Names the program and its subcommands.
  package static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "Runs one neural network across several small devices that talk only over MQTT.",
    discussion: """
      It keeps answering, a little less surely, when devices stall, reboot or vanish.

      Status: 0 if all went well; 1 if some images could not be read; 64 to 77 as in sysexits.h (64
      wrong usage, 65 bad input, 66 something is missing, 69 the broker or a device cannot be reached,
      74 output cannot be written, 75 no memory, room or time, 77 no permission); 130 after Ctrl-C; 141
      if whoever read the output has gone away.

      Examples:
        martlet demo                                        see it fly on this machine
        martlet --version --verbose                         what it computes with
        martlet describe model.onnx                         what a model consists of
        martlet infer model.onnx --images photos            the whole model in this process
        martlet score model.onnx --calibration photos -o scores.json
        martlet plan model.onnx --devices 4 -o plan         split it over four devices
        martlet study plan --model model.onnx --images val  what failures cost
        martlet explore model.onnx --devices 4 --calibration train --images val --svg front.svg
        martlet fog train topology.json --data data -o model.fog
        martlet worker --broker HOST --plan plan --device d0
        martlet run --broker HOST --plan plan --images photos
        martlet call device/stats d0 --broker HOST
        martlet record --broker HOST -o flight.rec          what is published, in a file
        martlet report --from flight.rec --html report.html energy, memory, accuracy, speed
        martlet inspect --broker HOST                       what travels on the topics
        martlet top --broker HOST                           devices and traffic on one page
      """,
    version: "0.1.0",
    subcommands: [
      Demo.self, Infer.self, Describe.self, Score.self, Methods.self, PlanCommand.self, Study.self,
      Explore.self, Fog.self, WorkerCommand.self, Run.self, GatewayCommand.self, Call.self,
      Devices.self, Record.self, Replay.self, Report.self, Inspect.self, Top.self, Bench.self,
    ])

  /// Made by the argument parser.
  package init() {}
}
