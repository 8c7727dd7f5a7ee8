"""Small artwork of each verdict, and the driver's answers to it."""

from __future__ import annotations

from typing import Any

from PIL import Image
from test_driver_workflow import take_in

from shared.identity import tenant
from shared.messages import Outcome, Result
from shared.records import Template
from shared.settings import Settings
from shared.wiring import Parts
from tests.draw import encoded, marked, text, wrap
from tests.legacy import rows_of

TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
FOLDER = "NookTransfers/Nook/Tiny UV"

PICTURE = wrap(1, 320, 146)
ART = ("art.png", encoded(PICTURE))
COPY = ("copy.jpg", encoded(PICTURE, "JPEG", quality=80))
HALF = ("half.jpg", encoded(PICTURE.resize((160, 73), Image.Resampling.LANCZOS), "JPEG"))
GREY = ("grey.png", encoded(PICTURE.convert("L").convert("RGB")))
MARKED = ("marked.png", encoded(marked(PICTURE)))
MARKED_AGAIN = ("again.png", encoded(marked(PICTURE), compress_level=0))
OTHER = ("other.png", encoded(wrap(2, 320, 146)))
RED = ("red.png", encoded(text("Bride to be", ink=(200, 0, 0))))
BLUE = ("blue.png", encoded(text("Bride to be", ink=(0, 0, 200))))


def save_template(parts: Parts) -> None:
    for user in ("seller", "other"):
        parts.designs.save_template(tenant(user), TINY)


def take(parts: Parts, *files: tuple[str, bytes], **request: object) -> Result:
    return take_in(parts, *files, **{"template": "Tiny UV"} | request)


def only(result: Result) -> Outcome:
    (outcome,) = result.outcomes
    return outcome


def said(outcome: Outcome) -> tuple[Any, ...]:
    """The evidence of an outcome: verdict, tier and test."""
    assert outcome.match is not None
    return outcome.match.verdict, outcome.match.tier, outcome.match.test


def as_told(result: Result) -> list[dict[str, object]]:
    return [outcome.model_dump(exclude={"timings_ms"}) for outcome in result.outcomes]


def with_settings(parts: Parts, **own: object) -> Parts:
    """The same database and NAS under other settings."""
    made = Parts(Settings.model_validate(parts.settings.model_dump() | own))
    made._designs, made._nas = parts.designs, parts.nas
    return made


def remove(parts: Parts, design_id: object) -> None:
    """What a shop's software does when a seller deletes a design."""
    rows_of(parts).do("UPDATE design_images SET is_active = false WHERE id = :id", id=design_id)


def staged_files(parts: Parts) -> list[str]:
    return [entry.path for entry in parts.nas.list(".platen")]
