"""What ours is compared with: the workflow's own rule, and the usual hashes of the field.

Each sees the art cropped at alpha above 0, as the workflow crops it; the two that know no alpha are
given it on white. imagededup's PHash is written out from its published definition, since the
package needs a deep-learning framework: alpha dropped, 32 x 32 by LANCZOS, grey, DCT, the 8 x 8
lowest frequencies, each bit whether one is at least the median of all but the first.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
import pdqhash
from PIL import Image
from scipy.fft import dct

from benchmarks.quality import work
from benchmarks.quality.drawing import Pixels
from shared.imaging.trim import trim

PDQ_PX = 512
"""PDQ's own programs bring larger pictures to so many pixels a side first, for speed."""


@dataclass(frozen=True)
class Rule:
    """A duplicate is what has the same ``hash`` up to so many bits."""

    name: str
    hash: str
    bits: int


RULES = (
    Rule("workflow <= 5", "workflow", 5),
    Rule("workflow <= 15", "workflow", 15),
    Rule("imagehash 64 <= 8", "imagehash", 8),
    Rule("imagehash 64 <= 10", "imagehash", 10),
    Rule("PDQ <= 31", "pdq", 31),
    Rule("imagededup <= 10", "imagededup", 10),
)


def _make(pixels: Pixels) -> str:
    art = Image.fromarray(np.ascontiguousarray(trim(pixels)))
    bare = art.convert("RGB")
    on_white = Image.alpha_composite(Image.new("RGBA", art.size, "white"), art).convert("RGB")
    bits, _ = pdqhash.compute(np.asarray(_at_most(on_white, PDQ_PX)))
    wide = bare.resize((256, 256), Image.Resampling.LANCZOS)
    return json.dumps(
        {
            "workflow": str(imagehash.phash(wide, hash_size=16)),
            "imagehash": str(imagehash.phash(on_white)),
            "pdq": np.packbits(bits.astype(np.uint8)).tobytes().hex(),
            "imagededup": _imagededup(bare),
        }
    )


def _at_most(image: Image.Image, px: int) -> Image.Image:
    return image.resize((px, px), Image.Resampling.BOX) if max(image.size) > px else image


BASELINES = work.Maker("baselines", _make, ((sys.modules[__name__], "_make"),))


def read(lines: Sequence[str]) -> dict[str, list[str]]:
    """For each hash its values in hex, in order."""
    read_ = [json.loads(line) for line in lines]
    return {
        name: [line[name] for line in read_] for name in dict.fromkeys(rule.hash for rule in RULES)
    }


def _imagededup(image: Image.Image) -> str:
    grey = np.asarray(image.resize((32, 32), Image.Resampling.LANCZOS).convert("L"), np.float64)
    low = dct(dct(grey, axis=0), axis=1)[:8, :8].flatten()
    return np.packbits(low >= np.median(low[1:])).tobytes().hex()
