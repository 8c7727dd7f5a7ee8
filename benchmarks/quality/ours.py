"""Our side, all in one place: the fingerprint, the library's candidates, and the verdict."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.quality import work
from benchmarks.quality.drawing import Pixels
from shared import records
from shared.fingerprint import bias, hashes, lanczos, normal, signature
from shared.imaging import trim
from shared.records import Fingerprint, NormalForm, Verdict

STRONGEST_FIRST = (Verdict.DUPLICATE, Verdict.VARIANT, Verdict.SIMILAR, Verdict.UNIQUE)
REPORT_BITS = 31
CANDIDATES = 500
"""The nearest so many of a library are compared, as the database gives them."""


def _make(pixels: Pixels) -> str:
    return hashes.fingerprint(normal.normal_form(pixels)).model_dump_json()


def _make_turned(pixels: Pixels) -> str:
    forms = turned(normal.normal_form(pixels))
    return json.dumps([hashes.fingerprint(form).model_dump(mode="json") for form in forms])


_CODE = (
    (bias, "biased", "ALPHA_STRENGTH", "INDEX_STRENGTH"),
    (hashes, "fingerprint"),
    (lanczos, "shrink"),
    (normal, "normal_form"),
    (signature, "signature"),
    (trim, "trim", "box"),
    (records, "FINGERPRINT_VERSION"),
)
FINGERPRINT = work.Maker("ours", _make, _CODE)
TURNED = work.Maker("turned", _make_turned, _CODE)


def read(line: str) -> Fingerprint:
    return Fingerprint.model_validate_json(line)


def read_turned(line: str) -> list[Fingerprint]:
    return [Fingerprint.model_validate(item) for item in json.loads(line)]


def turned(form: NormalForm) -> list[NormalForm]:
    """The forms that an upload is compared as where mirrored and turned copies are to be found.

    The setting for that is not built yet: the upload itself is all there is.
    """
    return [form]


def exact(mine: Fingerprint, other: Fingerprint) -> bool:
    """Whether the exact tier finds it: equal content, or all four hashes equal."""
    if mine.content_sha256 == other.content_sha256:
        return True
    same_kind = mine.comparable(other)
    return same_kind and not any((mine.distances(other).model_dump(exclude={"index"})).values())


def verdicts(mine: Fingerprint, others: Sequence[Fingerprint]) -> list[Verdict]:
    """What an upload is to each of some designs. A stand-in: the index hash within 15 bits."""
    return [_stand_in(mine, other) for other in others]


def _stand_in(mine: Fingerprint, other: Fingerprint) -> Verdict:
    if not mine.comparable(other):
        return Verdict.UNIQUE
    bits = mine.distances(other)
    near = min(bits.phash, bits.phash if bits.index is None else bits.index)
    if near <= 15:
        return Verdict.DUPLICATE
    return Verdict.SIMILAR if near <= REPORT_BITS else Verdict.UNIQUE


def verdict(asked: Sequence[Fingerprint], design: Fingerprint) -> Verdict:
    """What an upload is to one design; ``asked``: all that it is compared as."""
    return strongest(verdicts(one, [design])[0] for one in asked)


def strongest(found: Iterable[Verdict]) -> Verdict:
    return min(found, key=STRONGEST_FIRST.index, default=Verdict.UNIQUE)


class Library:
    """The designs of one shop, searched as the database is: by the lesser of two distances."""

    def __init__(self, prints: Sequence[Fingerprint]) -> None:
        self.prints = list(prints)
        self._is_opaque = np.array([bool(print_.is_opaque) for print_ in prints])
        self._phash = words([print_.phash for print_ in prints])
        self._index = words([str(print_.index_hash) for print_ in prints])

    def strongest(self, at: int) -> Verdict:
        """What the library makes of the design at ``at``, were it not there."""
        others = [self.prints[index] for index in self.near(at)]
        return strongest(verdicts(self.prints[at], others)) if others else Verdict.UNIQUE

    def near(self, at: int) -> npt.NDArray[np.int64]:
        """The designs that could be like the one at ``at``, nearest first, without itself."""
        bits = np.minimum(
            distances(self._phash, self._phash[at]), distances(self._index, self._index[at])
        )
        found = np.flatnonzero((bits <= REPORT_BITS) & (self._is_opaque == self._is_opaque[at]))
        found = found[found != at]
        return found[np.argsort(bits[found], kind="stable")][:CANDIDATES]


def words(hexes: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Hashes of the same length in hex as (n, words) uint64."""
    joined = np.frombuffer(bytes.fromhex("".join(hexes)), np.uint64)
    return joined.reshape(len(hexes), -1)


def distances(all_: npt.NDArray[np.uint64], one: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Hamming distances in bits: (n,)."""
    return np.asarray(np.bitwise_count(all_ ^ one).sum(axis=1, dtype=np.int64))
