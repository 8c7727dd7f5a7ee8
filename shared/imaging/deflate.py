"""Deflate (RFC 1951): filtered rows in the way that suits them.

igzip (ISA-L) is three times as fast as anything else and looks for no more than one match a place.
Where art lives by matches (the same grain in every channel) zlib-ng finds a seventh more; where
matches only cost (a photo's noise) codes for single samples are a fifth shorter. What a few rows
deflate to, held against their entropy, tells which.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np

from shared.imaging.codecs import quick, thorough
from shared.imaging.filters import Samples


class Way(NamedTuple):
    """How to deflate. ``window``: matches are found among as many bytes as 2 to the power of it."""

    codec: Any
    level: int
    window: int = zlib.MAX_WBITS
    strategy: int = zlib.Z_DEFAULT_STRATEGY


FAR = Way(zlib, 1) if quick is zlib else Way(quick, 2)
"""For samples as they are: flat art repeats itself in rows. igzip has levels 0 to 3; 3 takes ten
times as long on flat art and saves a tenth."""
NEAR = FAR if quick is zlib else FAR._replace(window=12)
"""For differences: a short match far off takes more bits than it saves. zlib gets slow by it."""
SEARCH = Way(thorough, 3)
CODES = Way(thorough, 1, strategy=zlib.Z_HUFFMAN_ONLY)
SMALL_LEVEL = 6
"""Of zlib's, for small files; 9 takes five times as long and saves a fifteenth more."""
AT_LENGTH = tuple(
    Way(zlib, SMALL_LEVEL, strategy=strategy)
    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY)
)

RICH, POOR = 0.73, 0.78
"""What rows deflate to, over their entropy, up to which each strip is searched, or each second."""
HARMED = 1.15
"""The same, from which on matches cost more than they save."""
WORTH = 1.25
"""How much larger some rows may be unfiltered for all of them to be tried so."""


def deflated(data: Samples, way: Way) -> bytes:
    """Raw deflate, ended on a byte boundary for the next strip to follow."""
    codec, level, window, strategy = way
    stream = codec.compressobj(level, zlib.DEFLATED, -window, zlib.DEF_MEM_LEVEL, strategy)
    return bytes(stream.compress(data.data) + stream.flush(zlib.Z_FULL_FLUSH))


def suited(sample: Samples, number: int) -> Way:
    """The way for a strip, judged by some of its rows.

    A search takes three times as long. Where less is gained by it, only every second or eighth
    strip, by ``number``, is searched: enough for the whole to stay within 1.06 of what OpenCV
    writes.
    """
    if thorough is None:
        return NEAR
    size = len(deflated(sample, NEAR))
    counts = np.bincount(sample.reshape(-1))
    seen = counts[counts > 0]
    bits = np.log2(sample.size / seen)
    entropy = seen @ bits / 8
    # A code has a bit at least: where most samples are the same, there is no way without matches.
    codes = seen @ np.maximum(bits, 1) / 8
    if size > HARMED * codes:
        return CODES
    if size > HARMED * entropy:
        return NEAR if number % 8 else SEARCH
    if size < (POOR if number % 2 == 0 else RICH) * entropy:
        return SEARCH
    return NEAR


def rivals(plain: Samples, sample: Samples) -> bool:
    """Whether rows as they are deflate so well that all of a strip should be tried so."""
    return len(deflated(plain, FAR)) < WORTH * len(deflated(sample, NEAR))
