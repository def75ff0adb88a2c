import Martlet
import MartletCommand

// An executable with a command of its own and, behind a word, all of martlet's: `OwnCommandLine methods`
// beside `OwnCommandLine martlet demo`. One that is to be nothing but the command line consists of the
// call alone.
switch CommandLine.arguments.dropFirst().first {
case "martlet":
  // This program's name and the word are none of martlet's.
  MartletCommandLine.run(skipping: 2)
case "methods":
  for method in PlanningMethod.all { print("\(method.name): \(method.summary)") }
default:
  print("Usage: OwnCommandLine methods | OwnCommandLine martlet COMMAND...")
}
