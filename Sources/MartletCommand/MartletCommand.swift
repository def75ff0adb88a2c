// MartletCommand
