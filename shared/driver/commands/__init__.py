"""The command line's commands, one file a command or group."""
