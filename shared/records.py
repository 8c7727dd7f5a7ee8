"""The values that cross layers: one definition for the code, the wire and the documents.

Values that travel as JSON are frozen pydantic models; values that hold pixels are dataclasses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

HASH_BITS = 256
"""Bits of each perceptual hash: imagehash with hash_size 16."""

EVER = 2**63 - 1
"""No design has a greater sequence."""

FINGERPRINT_VERSION = 2
"""The fingerprint computed here. 1: the workflow's own hashes, alpha dropped, nothing else."""

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""A line of text that a database can hold: no control characters; pydantic bars surrogates."""

Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""256 bits as 64 lower-case hex characters: a perceptual hash or a sha256."""


Count = Annotated[int, Field(gt=0, lt=2**31)]
"""A size or number above 0 that a database's integer column holds."""


class Value(BaseModel):
    """Base of the values that travel: frozen; unknown fields, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Fit(StrEnum):
    """How artwork is fitted to a template's size."""

    STRETCH = "stretch"
    """Exactly the template's size, whatever the artwork's shape."""
    LONGEST = "longest"
    """The longest side becomes the template's longer side; the shape is kept."""
    INSIDE = "inside"
    """As large as fits within both sides; the shape is kept."""


class Template(Value):
    """A product's print size and how artwork is fitted to it. Sizes in inches."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    width_in: Annotated[float, Field(gt=0, le=240)]
    height_in: Annotated[float, Field(gt=0, le=240)]
    fit: Fit = Fit.STRETCH
    dpi: Annotated[int, Field(ge=72, le=1200)] = 400
    canvas_width_in: Annotated[float, Field(gt=0, le=240)] | None = None
    canvas_height_in: Annotated[float, Field(gt=0, le=240)] | None = None
    rotate: bool = False
    """Landscape artwork is turned 90 degrees clockwise before it is fitted."""
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "{prefix}_{number}"
    """The file's name without ``.png``, from ``{prefix}``, ``{number}`` and ``{template}``."""

    @model_validator(mode="after")
    def _canvas_is_whole(self) -> Self:
        if (self.canvas_width_in is None) != (self.canvas_height_in is None):
            raise ValueError("a canvas needs both canvas_width_in and canvas_height_in")
        return self


class Preflight(Value):
    """What a printer wants to know of an artwork before it is resized."""

    width_px: int
    """Width of the trimmed artwork."""
    height_px: int
    width_in: float
    """Printed width of the artwork, canvas apart."""
    height_in: float
    effective_dpi: float
    """Source pixels per printed inch, of the side that has fewer."""
    scale: float
    """Print pixels per source pixel, of the side that is enlarged most; above 1 is upscaling."""
    distortion: float
    """How far the artwork's shape is stretched: 0 is none, 0.25 is a quarter."""
    soft_alpha: float
    """Share of the artwork's pixels that are neither opaque nor transparent, 0 to 1."""


class PrintFile(Value):
    """The print-ready PNG that stands on the NAS."""

    sha256: Hex64
    size: Count
    """Bytes."""
    width_px: Count
    height_px: Count
    dpi: Count


class Distances(Value):
    """Hamming distances in bits between two fingerprints; None where one side lacks the hash."""

    phash: int
    ahash: int | None = None
    dhash: int | None = None
    whash: int | None = None
    index: int | None = None
    """Distance of the index hash: what near matches are searched by."""


class Fingerprint(Value):
    """What an artwork is known again by. Validates itself and refuses unlike kinds.

    Version 2 has every field, but for the crop's size where it was taken from a print file: that
    has the size of the print, and may have lost the shape of the upload. Version 1 (rows from
    elsewhere) has the four hashes only, and of those only the phash for certain.
    """

    version: int = FINGERPRINT_VERSION
    phash: Hex64
    ahash: Hex64 | None = None
    dhash: Hex64 | None = None
    whash: Hex64 | None = None
    index_hash: Hex64 | None = None
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1024}$")] | None = None
    """512 bytes as hex: small luma, alpha and chroma planes."""
    content_sha256: Hex64 | None = None
    """sha256 of the normal form: equal for identical pictures."""
    is_opaque: bool | None = None
    width_px: int | None = None
    """Width of the cropped upload; None where only its print file was at hand."""
    height_px: int | None = None

    @model_validator(mode="after")
    def _version_2_is_whole(self) -> Self:
        if self.version < FINGERPRINT_VERSION:
            return self
        hashes = (self.phash, self.ahash, self.dhash, self.whash, self.index_hash)
        if None in (*hashes, self.signature, self.content_sha256, self.is_opaque):
            raise ValueError("a fingerprint of version 2 needs every field but the crop's size")
        return self

    def comparable(self, other: Fingerprint) -> bool:
        """Whether the hashes of both were taken from the same kind of picture."""
        return self.version == other.version and self.is_opaque == other.is_opaque

    def distances(self, other: Fingerprint) -> Distances:
        """Hamming distance of every hash, in bits of 256.

        Raises ValueError for unlike kinds: their bits do not mean the same.
        """
        if not self.comparable(other):
            raise ValueError("fingerprints of unlike kinds can't be compared")
        return Distances(
            phash=hamming(self.phash, other.phash),
            ahash=_hamming_if_both(self.ahash, other.ahash),
            dhash=_hamming_if_both(self.dhash, other.dhash),
            whash=_hamming_if_both(self.whash, other.whash),
            index=_hamming_if_both(self.index_hash, other.index_hash),
        )


def hamming(a: str, b: str) -> int:
    """Hamming distance in bits of two hashes in hex."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


def _hamming_if_both(a: str | None, b: str | None) -> int | None:
    return None if a is None or b is None else hamming(a, b)


@dataclass(frozen=True, slots=True, eq=False)
class NormalForm:
    """The picture that all of a fingerprint derives from.

    ``pixels``: (256, 256, 4) uint8, RGBA, premultiplied by alpha (opaque: alpha is 255).
    ``width_px``, ``height_px``: the cropped upload's size.
    """

    pixels: npt.NDArray[np.uint8]
    width_px: int
    height_px: int
    is_opaque: bool


class State(StrEnum):
    """Where a design's row stands."""

    PENDING = "pending"
    """The row is committed; its file is not yet known to stand under its final name."""
    ACTIVE = "active"


class Design(Value):
    """Artwork that was filed: one row, one file."""

    design_id: UUID
    user_id: UUID
    shop: str
    template: str
    is_digital: bool
    number: int | None
    filename: str
    """The print file's name, such as ``UV_001.png``."""
    file_path: str
    """The print file's path in the NAS's own names."""
    source_filename: str
    """The seller's own name of the upload: data, never a path."""
    upload_sha256: Hex64 | None
    state: State
    print_file: PrintFile | None
    preflight: Preflight | None
    fingerprint: Fingerprint
    created_at: datetime
    sequence: int = 0
    """Order of insertion; grows within a tenant. 0 before the row is inserted."""


class Verdict(StrEnum):
    UNIQUE = "unique"
    DUPLICATE = "duplicate"
    VARIANT = "variant"
    SIMILAR = "similar"


class Tier(StrEnum):
    """Which of the three checks found the match."""

    BATCH = "batch"
    EXACT = "exact"
    HAMMING = "hamming"


class Match(Value):
    """The design that an upload was found to be near to, with the evidence."""

    design_id: UUID
    filename: str
    """The print file's name; for a file of the same batch, the seller's own name."""
    file_path: str | None
    """None for a file of the same batch that isn't filed yet."""
    state: State
    verdict: Verdict = Verdict.DUPLICATE
    tier: Tier
    test: str
    """Which comparison decided: ``upload_sha256``, ``content_sha256``, ``hashes``, ``distance``,
    ``signature``; for a variant ``colour``; for what is similar ``likeness``, or ``turned``,
    ``cropped``, ``flattened`` where these are looked for."""
    distances: Distances | None
    """None where only a sha256 was compared or the kinds differ."""


@dataclass(frozen=True, slots=True)
class Probe:
    """An upload's side of a comparison with the library."""

    fingerprint: Fingerprint
    upload_sha256: str
    legacy_phash: str | None = None
    """The upload's version-1 phash, where the tenant has rows of version 1; None: not asked."""
    template: str | None = None
    """Compare with this template's designs only; None: with all of the tenant's."""
    design_id: UUID | None = None
    """The design that the upload is, or becomes: it is never compared with itself."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a search goes. ``threshold`` and ``radius``: Hamming distances in bits of 256.

    Designs within the threshold can keep an upload from being filed; those beyond it, up to the
    radius, can only be reported. ``after`` leaves out designs with a sequence at or below it,
    ``before`` those at or above it, as if they were not there.
    """

    threshold: int
    radius: int
    after: int = 0
    before: int = EVER


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that a probe is compared with: a design's row, or an earlier file of the batch."""

    design_id: UUID
    filename: str
    """The print file's name; for a file of the same batch, the seller's own name."""
    file_path: str | None
    """None for a file of the same batch."""
    state: State
    sequence: int
    """Orders candidates by age."""
    upload_sha256: str | None
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Entry:
    """A file on the NAS: ``path`` relative to the share, ``modified`` in seconds since 1970."""

    path: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Filing:
    """A row, as far as comparing it with the NAS reads it, whoever recorded it."""

    design_id: UUID
    user_id: UUID
    file_path: str
    """In the NAS's own names; empty where the row has none."""
    state: State
    is_old: bool
    """Whether the row is older than was asked for: no upload is at it any more."""
    size: int | None
    """Bytes of the print file; None where the row doesn't tell."""
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Legacy:
    """A row of fingerprint version 1, as far as taking its fingerprint anew reads it.

    Not a `Design`: such a row may lack a whole phash.
    """

    design_id: UUID
    user_id: UUID
    file_path: str
    """In the NAS's own names; empty where the row has none."""
    is_digital: bool


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A print file as it stands on the NAS."""

    sha256: str
    size: int
    """Bytes."""
    width_px: int
    height_px: int
    dpi: int | None
    """None where the file does not tell."""
