"""A design as a row, and a row as a design: the one place that knows both."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.records import (
    FINGERPRINT_VERSION,
    Candidate,
    Design,
    Fingerprint,
    Preflight,
    PrintFile,
    State,
)

PRINTS = (
    "fingerprint_version", "phash", "ahash", "dhash", "whash", "index_hash", "signature",
    "content_sha256", "is_opaque", "crop_width", "crop_height",
)  # fmt: skip
"""The columns of a fingerprint, in the order of `_fingerprint`."""

_FACTS = ("id", "filename", "file_path", "state", "sequence", "upload_sha256", *PRINTS)
"""The columns of a candidate, in the order of `_candidate`."""

_PHASH = _FACTS.index("phash")

_HEX64 = re.compile(r"[0-9a-f]{64}")


def facts(columns: sa.sql.ColumnCollection[str, Any]) -> list[sa.ColumnElement[Any]]:
    """What a candidate is read from, of the designs' columns.

    Bits and bytes come as hex, which the server writes faster than Python makes it of them.
    """
    # Bits are sent as four bytes that tell how many they are, and then the bits.
    index_hash = sa.func.substr(
        sa.func.encode(sa.func.bit_send(columns.index_hash), "hex"), 9, type_=sa.Text
    )
    signature = sa.func.encode(columns.signature, "hex", type_=sa.Text)
    hexes = {"index_hash": index_hash, "signature": signature}
    return [hexes.get(name, columns[name]) for name in _FACTS]


def to_row(design: Design) -> dict[str, Any]:
    """The columns that a design's row is inserted with, but for its time and sequence."""
    file = design.print_file
    return {
        "id": design.design_id,
        "user_id": design.user_id,
        "shop": design.shop,
        "template": design.template,
        "is_digital": design.is_digital,
        "number": design.number,
        "filename": design.filename,
        "file_path": design.file_path,
        "source_filename": design.source_filename,
        "upload_sha256": design.upload_sha256,
        "state": design.state.value,
        "is_active": design.state is State.ACTIVE,
        "file_sha256": file and file.sha256,
        "file_size": file and file.size,
        "width_px": file and file.width_px,
        "height_px": file and file.height_px,
        "dpi": file and file.dpi,
        "preflight": design.preflight and design.preflight.model_dump(mode="json"),
        **hashed(design.fingerprint),
    }


def hashed(prints: Fingerprint) -> dict[str, Any]:
    """The columns of a fingerprint."""
    return {
        "fingerprint_version": prints.version,
        "phash": prints.phash,
        "ahash": prints.ahash,
        "dhash": prints.dhash,
        "whash": prints.whash,
        "index_hash": prints.index_hash,
        "signature": prints.signature and bytes.fromhex(prints.signature),
        "content_sha256": prints.content_sha256,
        "is_opaque": prints.is_opaque,
        "crop_width": prints.width_px,
        "crop_height": prints.height_px,
    }


def to_designs(rows: Iterable[sa.Row[Any]]) -> list[Design]:
    """Every row that is a design: one without a whole phash is none."""
    return [to_design(row) for row in rows if _hash(row.phash)]


def to_candidates(rows: Iterable[sa.Row[Any]]) -> list[Candidate]:
    """The candidates of rows that begin with `facts`; a row without a whole phash is none."""
    # By position: to look 17 names up takes as long as all the rest, of 500 rows in one answer.
    return [_candidate(*row[: len(_FACTS)]) for row in rows if _hash(row[_PHASH])]


def _candidate(
    design_id: UUID,
    filename: str | None,
    file_path: str | None,
    state: str,
    sequence: int,
    upload_sha256: str | None,
    *prints: Any,
) -> Candidate:
    return Candidate(
        design_id=design_id,
        filename=filename or "",
        file_path=file_path or "",
        state=State(state),
        sequence=sequence,
        upload_sha256=_hash(upload_sha256),
        fingerprint=_fingerprint(*prints),
    )


def to_design(row: sa.Row[Any]) -> Design:
    """The design of a row with a whole phash; legacy rows lack most of the rest."""
    shop, template = _folders(row.file_path or "")
    return Design(
        design_id=row.id,
        user_id=row.user_id,
        shop=row.shop or shop,
        template=row.template or template,
        is_digital=bool(row.is_digital),
        number=row.number,
        filename=row.filename or "",
        file_path=row.file_path or "",
        source_filename=row.source_filename or row.filename or "",
        upload_sha256=_hash(row.upload_sha256),
        state=State(row.state),
        print_file=_print_file(row),
        preflight=row.preflight and Preflight.model_validate(row.preflight),
        fingerprint=_fingerprint(*(_plain(row, name) for name in PRINTS)),
        created_at=_aware(row.created_at),
        sequence=row.sequence,
    )


def _fingerprint(
    version: int,
    phash: str,
    ahash: str | None,
    dhash: str | None,
    whash: str | None,
    index_hash: str | None,
    signature: str | None,
    content_sha256: str | None,
    is_opaque: bool | None,
    width_px: int | None,
    height_px: int | None,
) -> Fingerprint:
    if version < FINGERPRINT_VERSION:  # ours are whole, or refused below
        ahash, dhash, whash = _hash(ahash), _hash(dhash), _hash(whash)
    return Fingerprint(
        version=version,
        phash=phash,
        ahash=ahash,
        dhash=dhash,
        whash=whash,
        index_hash=index_hash,
        signature=signature,
        content_sha256=content_sha256,
        is_opaque=is_opaque,
        width_px=width_px,
        height_px=height_px,
    )


def _plain(row: sa.Row[Any], name: str) -> Any:
    value = getattr(row, name)
    return value.hex() if isinstance(value, bytes) else value


def _print_file(row: sa.Row[Any]) -> PrintFile | None:
    if None in (row.file_sha256, row.file_size, row.width_px, row.height_px, row.dpi):
        return None
    return PrintFile(
        sha256=row.file_sha256,
        size=row.file_size,
        width_px=row.width_px,
        height_px=row.height_px,
        dpi=row.dpi,
    )


def _hash(text: str | None) -> str | None:
    """The text where it is a whole hash; legacy rows hold shorter ones and others."""
    return text if text and _HEX64.fullmatch(text) else None


def _folders(path: str) -> tuple[str, str]:
    """Shop and template by ``.../{shop}/[Digital/]{template}/{file}``; empty where it has none."""
    *_, shop, digital, template, _file = ["", "", "", *path.split("/")]
    return (shop if digital == "Digital" else digital), template


def _aware(moment: datetime | None) -> datetime:
    """A time with its zone: legacy columns may lack it (UTC then), or the time itself."""
    if moment is None:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
