"""What an upload is to 500 candidates, against the workflow's loop over as many hashes.

    python -m benchmarks --only verdict

The loop reads each row's phash with imagehash and counts bits; ours takes the second look too. The
candidates are near copies: the dearest kind, since all of them are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import imagehash
import numpy as np

from benchmarks import artwork
from benchmarks.pairs import Row, paired
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.limits import LIMITS
from shared.fingerprint.normal import normal_form
from shared.fingerprint.verdict import Rule, compare
from shared.imaging.pixels import Pixels
from shared.records import Candidate, NormalForm, Probe, State
from shared.settings import Policy

CLAIM = "Verdict of 500 candidates"
COUNT = 500
RULE = Rule(Policy.VERIFIED, LIMITS.duplicate_bits)


def rows(quick: bool) -> Iterator[Row]:
    for name, draw in (("cut-out art", artwork.vector), ("opaque art", artwork.photo)):
        probe, candidates = _near(draw(0, 1200, 547))
        hashes = [candidate.fingerprint.phash for candidate in candidates]
        yield paired(
            CLAIM,
            name,
            "imagehash, row by row",
            lambda probe=probe, hashes=hashes: loop(probe.fingerprint.phash, hashes),
            lambda probe=probe, candidates=candidates: compare(probe, candidates, RULE),
            quick=quick,
            floor=0.3 if quick else None,
        )


def loop(mine: str, others: list[str]) -> list[int]:
    """The workflow's own lines."""
    phash = imagehash.hex_to_hash(mine)
    return [phash - imagehash.hex_to_hash(other) for other in others]


def _near(art: Pixels) -> tuple[Probe, list[Candidate]]:
    """A probe and copies of it under noise of their own."""
    rng = np.random.default_rng(0)
    form = normal_form(art)
    prints = [
        fingerprint(
            NormalForm(_noisy(form.pixels, rng), form.width_px, form.height_px, form.is_opaque)
        )
        for _ in range(COUNT)
    ]
    candidates = [
        Candidate(
            design_id=uuid4(),
            filename="UV.png",
            file_path=None,
            state=State.ACTIVE,
            sequence=at,
            upload_sha256=f"{at:064x}",
            fingerprint=one,
        )
        for at, one in enumerate(prints, start=1)
    ]
    return Probe(fingerprint(form), "0" * 64, None, None, uuid4()), candidates


def _noisy(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    noise = rng.integers(-3, 4, (*pixels.shape[:2], 1))
    noisy = pixels.astype(np.int16)
    noisy[..., :3] += noise.astype(np.int16)
    return np.minimum(np.clip(noisy, 0, 255), pixels[..., 3:]).astype(np.uint8)
