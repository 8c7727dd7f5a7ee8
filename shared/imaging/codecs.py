"""The fast decoders, where there is a wheel of them for this machine; None where there is none.

Without them pictures are read more slowly, with the same pixels (docs/decisions/014).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

kornia: Any = None
"""PNG of 8 bits, where the size is known."""
with suppress(ImportError):
    from kornia_rs import io

    kornia = io

turbo: Any = None
"""JPEG to any order of channels; refuses what is cut."""
with suppress(ImportError):
    import simplejpeg

    turbo = simplejpeg.decode_jpeg
