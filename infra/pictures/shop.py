"""A shop that has one design, and gets an upload: what the real workflow makes of a pair."""

from __future__ import annotations

from uuid import uuid4

from infra.pictures.pairs import Pair
from shared.driver.serial import SerialExecutor
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.identity import tenant
from shared.messages import Outcome, UploadRequest
from shared.records import Template
from shared.wiring import Parts

SMALL = Template(name="UV small", width_in=1, height_in=1, dpi=72)
"""Print files are not looked at here, so they need not be large."""


def outcome(parts: Parts, pair: Pair, **request: object) -> Outcome:
    """What becomes of the pair's upload in a shop of its own that has the pair's design."""
    seller = uuid4().hex
    parts.designs.save_template(tenant(seller), SMALL)
    take(parts, seller, pair.shop)
    return take(parts, seller, pair.upload, **request)


def take(parts: Parts, seller: str, file: bytes, **request: object) -> Outcome:
    """What becomes of one file that a seller sends."""
    asked = UploadRequest.model_validate(
        {"template": SMALL.name, "user_id": seller} | request, strict=False
    )
    sources = [parts.source("design.png", file)]
    result = upload(sources, asked, InProcess(parts), parts.settings, SerialExecutor(), 1)
    return result.outcomes[0]


def looking(parts: Parts, setting: str) -> Parts:
    """The same shop with a setting turned on."""
    return Parts(parts.settings.model_copy(update={setting.lower(): True}))
