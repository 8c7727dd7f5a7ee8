"""The NAS gateway: one contract (`shared.ports.Nas`), several stores."""
