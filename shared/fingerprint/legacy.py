"""Comparison with rows of version 1: their hashes were taken with the alpha dropped."""

from __future__ import annotations

from shared.fingerprint.finding import NOTHING, Finding, Test
from shared.fingerprint.hashes import telling
from shared.records import Distances, Fingerprint, Probe, Verdict


def compare(probe: Probe, row: Fingerprint, *, duplicate: int, similar: int) -> Finding:
    """What an upload is to a row of version 1, which has hashes and nothing to look at.

    ``duplicate``, ``similar``: bits of the phash up to which it is called so.
    """
    found = distances(probe, row)
    if found is None or not _tells(row, found, duplicate):
        return NOTHING
    if found.phash > max(duplicate, similar):
        return Finding(Verdict.UNIQUE, Test.DISTANCE, found.phash)
    verdict = Verdict.DUPLICATE if found.phash <= duplicate else Verdict.SIMILAR
    is_equal = not any((found.phash, found.ahash, found.dhash, found.whash))
    return Finding(verdict, Test.HASHES if is_equal else Test.DISTANCE, found.phash)


def distances(probe: Probe, row: Fingerprint) -> Distances | None:
    """The distances of an upload from a row of version 1; None where they would mean nothing.

    An opaque upload's own hashes are of the same kind. For art with alpha only an equal phash, of
    the upload with its alpha dropped, is evidence.
    """
    mine = probe.fingerprint
    if not mine.is_opaque:
        return Distances(phash=0) if probe.legacy_phash == row.phash else None
    same_kind = mine.model_copy(update={"version": row.version, "is_opaque": row.is_opaque})
    return same_kind.distances(row)


def _tells(row: Fingerprint, found: Distances, limit: int) -> bool:
    """Whether a distance says anything.

    Where the row's phash tells nothing, such as that of any art in black ink whose alpha was
    dropped, the three other hashes must agree too.
    """
    rest = (found.ahash, found.dhash, found.whash)
    return telling(row.phash) or all(bits is not None and bits <= limit for bits in rest)
