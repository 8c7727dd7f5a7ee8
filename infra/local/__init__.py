"""The local emulator: everything on one machine, nothing but Python installed."""
