"""Copies: a sample of designs, each changed in every way that a second upload may differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from benchmarks.quality import icons, ours, photos, sets, slogans, transforms, work, wraps
from benchmarks.quality.drawing import Drawing
from shared.records import Fingerprint

LARGE_PX = 1000
"""Width from which a design is large: uploads for print are, at the least."""


@dataclass(frozen=True)
class Source:
    """A design that is copied. ``kind``: ``emoji and silhouettes``, ``text`` or ``opaque``."""

    drawing: Drawing
    kind: str
    width: int


@dataclass(frozen=True)
class Copy:
    """A changed copy of the source at ``source`` in `sources`, and what is known of both."""

    transform: str
    source: int
    kind: str
    is_large: bool
    original: Fingerprint
    fingerprint: Fingerprint
    turned: list[Fingerprint]
    """Of mirrored and turned copies: the fingerprints of the other ways that the copy can lie."""


@lru_cache(maxsize=2)
def sources(*, quick: bool = False) -> list[Source]:
    """Some 350 designs of three kinds, some of them large; ``quick``: one in thirty."""
    emoji: list[Source] = []
    for package, small, large in (
        ("game-icons", 40, 12), ("twemoji", 40, 12), ("noto", 35, 10), ("fluent-emoji", 10, 0),
        ("openmoji", 25, 10),
    ):  # fmt: skip
        chosen = sets.sample(
            [icons.Icon(package, name) for name in icons.names(package)], small + large, "copies"
        )
        for at, icon in enumerate(chosen):
            width = LARGE_PX if at % (small + large) >= small else 480
            emoji.append(Source(replace(icon, side=width), "emoji and silhouettes", width))
    texts = sets.sample(slogans.tuned(sets.SLOGANS, 0)[0], 50, "copies")
    texts += sets.sample(slogans.held_out(sets.HELD_OUT_SLOGANS, 0)[0], 20, "copies")
    boxed = sets.sample(photos.photos(), 30, "copies")
    boxed += sets.sample(wraps.patterned(sets.PATTERNS), 30, "copies")
    boxed += sets.sample(wraps.emoji(sets.EMOJI_WRAPS), 30, "copies")
    found = [
        *emoji,
        *(Source(replace(text, width=LARGE_PX), "text", LARGE_PX) for text in texts),
        *(_boxed(drawing, LARGE_PX if at % 3 == 0 else 760) for at, drawing in enumerate(boxed)),
    ]
    return found[::30] if quick else found


def jobs(*, quick: bool = False) -> list[tuple[int, str]]:
    """Each source's index with each transform that suits it."""
    return [
        (index, name)
        for index, source in enumerate(sources(quick=quick))
        for name in transforms.TRANSFORMS
        if transforms.suits(name, is_opaque=source.kind == "opaque")
    ]


def work_of(*, quick: bool = False) -> tuple[list[work.Job], list[work.Job]]:
    """The originals and the copies, as work to be done."""
    known = sources(quick=quick)
    originals = [work.Job(source.drawing) for source in known]
    return originals, [work.Job(known[at].drawing, name) for at, name in jobs(quick=quick)]


def load(*, quick: bool = False) -> list[Copy]:
    """All copies with their fingerprints and their originals'."""
    known = sources(quick=quick)
    end = "-quick" if quick else ""
    originals, copied = work_of(quick=quick)
    [first_lines] = work.kept(f"originals{end}", originals, ours.FINGERPRINT)
    [lines] = work.kept(f"copies{end}", copied, ours.FINGERPRINT)
    turning = [job for job in copied if transforms.TRANSFORMS[job.transform].turns]
    [turned_lines] = work.kept(f"copies{end}", turning, ours.TURNED)
    prints = [ours.read(line) for line in first_lines]
    turned = dict(zip(turning, map(ours.read_turned, turned_lines), strict=True))
    return [
        Copy(
            transform=name,
            source=index,
            kind=known[index].kind,
            is_large=known[index].width >= LARGE_PX,
            original=prints[index],
            fingerprint=ours.read(line),
            turned=turned.get(job, []),
        )
        for (index, name), job, line in zip(jobs(quick=quick), copied, lines, strict=True)
    ]


def _boxed(drawing: Drawing, width: int) -> Source:
    return Source(replace(drawing, width=width), "opaque", width)
