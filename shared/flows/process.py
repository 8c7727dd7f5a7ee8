"""process: prepare one upload for print and write it to the NAS. It has no database."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from uuid import UUID

from shared.clock import Clock
from shared.errors import NameTaken, TemplateUnknown
from shared.fingerprint.normal import pack
from shared.flows.source import Source
from shared.imaging.pipeline import prepare
from shared.imaging.templates import BUILT_IN, check
from shared.messages import ProcessRequest, ProcessResponse
from shared.nas.names import Places, print_file, staged
from shared.ports import Content, Nas
from shared.records import PrintFile, Template
from shared.settings import Effort


def process(
    source: Source,
    request: ProcessRequest,
    shop: str,
    nas: Nas,
    places: Places,
    max_side_px: int,
    effort: Effort,
) -> ProcessResponse:
    """Crop, resize, pad and encode an upload, then stage it or publish it under its file name.

    Raises FileRefused, TemplateUnknown, TemplateInvalid, NameInvalid, NameTaken or NasError;
    nothing stays behind then but, at the most, a file under its whole staged name.
    """
    clock = Clock()
    template = resolve(request.template, max_side_px)
    target = None
    if request.filename is not None:
        folder = places.folder(shop, template.name, digital=request.digital)
        target = f"{folder}/{print_file(request.filename)}"
    with clock.step("decode"):
        artwork = source.artwork
    normal_form = None
    if request.normal_form:
        with clock.step("normal_form"):
            normal_form = pack(source.normal_form)
    prepared = prepare(
        artwork, template, digital=request.digital, max_side_px=max_side_px, effort=effort
    )
    for step, milliseconds in prepared.timings_ms.items():
        clock.add(step, milliseconds)
    with clock.step("sha256"):
        print_png = PrintFile(
            sha256=hashlib.sha256(prepared.png).hexdigest(),
            size=len(prepared.png),
            width_px=prepared.width_px,
            height_px=prepared.height_px,
            dpi=prepared.dpi,
        )
    with clock.step("nas"):
        write(nas, request.design_id, target, prepared.png, print_png)
    return ProcessResponse(
        design_id=request.design_id,
        file_path=places.stored(target) if target else None,
        print_file=print_png,
        preflight=prepared.preflight,
        upload_sha256=source.sha256,
        normal_form=normal_form,
        timings_ms=clock.total(),
    )


def resolve(template: Template | str, max_side_px: int) -> Template:
    """The template in full, by name among the built-in ones, checked."""
    if isinstance(template, str):
        named = [known for known in BUILT_IN if known.name.casefold() == template.casefold()]
        if not named:
            raise TemplateUnknown(name=template)
        template = named[0]
    check(template, max_side_px)
    return template


def write(
    nas: Nas, design_id: UUID | None, target: str | None, png: Content, file: PrintFile
) -> None:
    """Stage under the design id, or create at the target; the same bytes again are harmless."""
    if target is None:
        assert design_id is not None, "a request names a design id or a file"  # noqa: S101 for mypy
        # A file of that name has these bytes: its name tells them, and files appear whole.
        with suppress(NameTaken):
            nas.create(staged(design_id, file.sha256), png)
        return
    try:
        nas.create(target, png)
    except NameTaken:
        if nas.digest(target) != (file.size, file.sha256):
            raise
