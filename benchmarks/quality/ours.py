"""Our side, all in one place: the fingerprint, the library's candidates, and the verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

import numpy as np
import numpy.typing as npt

from benchmarks.quality import work
from benchmarks.quality.drawing import Pixels
from shared import records
from shared.database.queries import FARTHER, LIMIT
from shared.fingerprint import bias, hashes, lanczos, normal, signature, turned
from shared.fingerprint.finding import NOTHING, Finding, Test
from shared.fingerprint.limits import LIMITS
from shared.fingerprint.lookalike import in_other_form, seen_as
from shared.fingerprint.verdict import Rule, compare
from shared.imaging import trim
from shared.records import Candidate, Fingerprint, Probe, State
from shared.settings import Policy

RULE = Rule(Policy.VERIFIED, LIMITS.duplicate_bits)


def _make(pixels: Pixels) -> str:
    return hashes.fingerprint(normal.normal_form(pixels)).model_dump_json()


def _make_turned(pixels: Pixels) -> str:
    forms = turned.turned(normal.normal_form(pixels))
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
TURNED = work.Maker("turned", _make_turned, (*_CODE, (turned, "turned")))


def read(line: str) -> Fingerprint:
    return Fingerprint.model_validate_json(line)


def read_turned(line: str) -> list[Fingerprint]:
    return [Fingerprint.model_validate(item) for item in json.loads(line)]


def strongest(mine: Fingerprint, others: Sequence[Fingerprint]) -> Finding:
    """The strongest finding of an upload among some designs."""
    found = compare(_probe(mine), [_candidate(other) for other in others], RULE)
    return min(found, key=lambda finding: finding.strength, default=NOTHING)


def looked_for(
    mine: Fingerprint, other_forms: Sequence[Fingerprint], design: Fingerprint
) -> Finding:
    """What an upload is to a design, where it is also looked for in other forms, each as such."""
    found = [strongest(mine, [design])]
    for form in other_forms:
        seen = seen_as(_probe(mine), form)
        found += [one for _, one in in_other_form(seen, [_candidate(design)], Test.TURNED)]
    return min(found, key=lambda finding: finding.strength)


class Library:
    """The designs of one shop, searched as the database is: by the lesser of two distances."""

    def __init__(self, prints: Sequence[Fingerprint]) -> None:
        self.prints = list(prints)
        self._is_opaque = np.array([bool(print_.is_opaque) for print_ in prints])
        self._phash = words([print_.phash for print_ in prints])
        self._index = words([str(print_.index_hash) for print_ in prints])

    def strongest(self, at: int) -> Finding:
        """What the library makes of the design at ``at``, were it not there."""
        return strongest(self.prints[at], [self.prints[index] for index in self.near(at)])

    def near(self, at: int) -> npt.NDArray[np.int64]:
        """The designs that could be like the one at ``at``, nearest first, without itself."""
        bits = np.minimum(distances(self._phash, at), distances(self._index, at))
        found = np.flatnonzero((bits <= RULE.radius) & (self._is_opaque == self._is_opaque[at]))
        found = found[found != at]
        found = found[np.argsort(bits[found], kind="stable")]
        within = int(np.count_nonzero(bits[found] <= RULE.threshold))
        return np.concatenate([found[:within][:LIMIT], found[within:][:FARTHER]])


def words(hexes: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Hashes of the same length in hex, 64 bits in each row: (rows, n) uint64."""
    joined = np.frombuffer(bytes.fromhex("".join(hexes)), np.uint64)
    return np.ascontiguousarray(joined.reshape(len(hexes), -1).T)


def distances(hashes_: npt.NDArray[np.uint64], at: int) -> npt.NDArray[np.uint16]:
    """Hamming distances in bits of all from the one at ``at``: (n,)."""
    bits = np.bitwise_count(hashes_ ^ hashes_[:, at : at + 1])
    return np.asarray(bits.sum(axis=0, dtype=np.uint16))


def _probe(mine: Fingerprint) -> Probe:
    return Probe(mine, upload_sha256="0" * 64)


def _candidate(design: Fingerprint) -> Candidate:
    """A design whose upload's bytes are another's: the exact tier has to find it by its content."""
    return Candidate(
        design_id=UUID(int=0),
        filename="design.png",
        file_path=None,
        state=State.ACTIVE,
        sequence=0,
        upload_sha256=None,
        fingerprint=design,
    )
