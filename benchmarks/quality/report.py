"""The tables: what was measured as Markdown."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence

import cv2
import numpy
import PIL

from benchmarks.quality import sets, transforms
from benchmarks.quality.baselines import RULES
from benchmarks.quality.floors import Floor
from benchmarks.quality.measure import Figures, Tally
from shared.records import FINGERPRINT_VERSION, Verdict

KINDS = ("emoji and silhouettes", "text", "opaque")
_NEXT = (Verdict.VARIANT, Verdict.SIMILAR, Verdict.UNIQUE)


def report(figures: Figures, floors: Sequence[Floor], *, quick: bool) -> str:
    """All tables, the floors first."""
    parts = [
        "# Duplicate detection, measured",
        _head(quick=quick),
        "## Floors",
        floor_table(floors),
        "## False duplicates",
        "Share of a library's distinct designs, in percent, that are taken for another one's"
        " duplicate; beside it what ours says of the rest: the strongest verdict of each design"
        " among all others.",
        _libraries(figures),
        "## Pairs that are no duplicates",
        "What a shop that has one design is told of the other, in percent of the pairs.",
        _pairs(figures),
        "## Copies",
        "What a changed copy is to its design, in percent of the copies. Exact: found by equal"
        " content or hashes, without a look. Reported: any verdict but unique. Mirrored and turned"
        " copies are looked for by ours alone.",
        _copies(figures),
        "## Copies by kind of art",
        "Duplicate / reported by ours, and duplicate by the workflow's rule at 15 and by PDQ.",
        _kinds(figures),
    ]
    return "\n\n".join(parts) + "\n"


def floor_table(floors: Iterable[Floor]) -> str:
    rows = [
        [
            floor.measure,
            f"{'<=' if floor.most else '>='} {floor.bound:g} %",
            f"{floor.measured:.2f} %" + (f" ({floor.note})" if floor.note else ""),
            "yes" if floor.holds else "**NO**",
        ]
        for floor in floors
    ]
    return _table(["measure", "floor", "measured", "ok"], rows)


def _head(*, quick: bool) -> str:
    made = (
        f"`make quality`{' with QUICK=1, a tenth of the art' if quick else ''}; fingerprint version"
        f" {FINGERPRINT_VERSION}, Python {platform.python_version()}, NumPy {numpy.__version__},"
        f" Pillow {PIL.__version__}, OpenCV {cv2.__version__}."
    )
    return made + (
        " Sets, transforms and baselines: `benchmarks/README.md`. Sets marked * were held out: no"
        " rule was tuned on them."
    )


def _libraries(figures: Figures) -> str:
    head = [
        "set",
        "designs",
        "ours",
        *(rule.name for rule in RULES),
        "variant",
        "similar",
        "unique",
    ]
    return _table(
        head,
        [
            [
                _marked(name),
                str(tally.count),
                f"**{tally.share(tally.duplicates):.2f}**",
                *_theirs(tally, 2),
                *(f"{tally.share(tally.verdicts[verdict]):.1f}" for verdict in _NEXT),
            ]
            for name, tally in figures.libraries.items()
        ],
    )


def _pairs(figures: Figures) -> str:
    head = ["pairs", "set", "n", "duplicate", "variant", "similar", "unique"]
    return _table(
        [*head, *(rule.name for rule in RULES)],
        [
            [
                kind,
                _marked(name),
                str(tally.count),
                f"**{tally.share(tally.duplicates):.2f}**",
                *(f"{tally.share(tally.verdicts[verdict]):.1f}" for verdict in _NEXT),
                *_theirs(tally, 1),
            ]
            for (kind, name), tally in sorted(figures.pairs.items())
        ],
    )


def _copies(figures: Figures) -> str:
    head = ["transform", "n", "exact", "duplicate", "variant", "similar", "unique", "reported"]
    rows = []
    for name in transforms.TRANSFORMS:
        tally = figures.copied(name)
        rows.append(
            [
                name,
                str(tally.count),
                f"{tally.share(tally.exact):.0f}",
                f"**{tally.share(tally.duplicates):.1f}**",
                *(f"{tally.share(tally.verdicts[verdict]):.1f}" for verdict in _NEXT),
                f"{tally.share(tally.reported):.1f}",
                *_theirs(tally, 0),
            ]
        )
    return _table([*head, *(rule.name for rule in RULES)], rows)


def _kinds(figures: Figures) -> str:
    head = ["transform"]
    for kind in KINDS:
        head += [kind, "workflow 15", "PDQ"]
    rows = []
    for name in transforms.TRANSFORMS:
        row = [name]
        for kind in KINDS:
            tally = figures.copied(name, kind=kind)
            found = f"{tally.share(tally.duplicates):.0f} / {tally.share(tally.reported):.0f}"
            theirs = dict(zip((rule.name for rule in RULES), _theirs(tally, 0), strict=True))
            row += (
                [found, theirs["workflow <= 15"], theirs["PDQ <= 31"]] if tally.count else [""] * 3
            )
        rows.append(row)
    return _table(head, rows)


def _theirs(tally: Tally, digits: int) -> list[str]:
    return [f"{tally.share(tally.theirs[rule.name]):.{digits}f}" for rule in RULES]


def _marked(name: str) -> str:
    return f"{name} *" if name in sets.SETS and sets.SETS[name].held_out else name


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
