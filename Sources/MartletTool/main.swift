import MartletCommand

MartletCommandLine.run()
