import MartletCommand

Martlet.runAndExit()
