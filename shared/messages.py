"""Requests and responses of the functions: the schema that checks, documents and carries them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import Base64Bytes, Field, model_validator

from shared.errors import PlatenError
from shared.records import (
    Design,
    Fingerprint,
    Hex64,
    Match,
    Preflight,
    PrintFile,
    State,
    Template,
    Text,
    Tier,
    Value,
    Verdict,
)
from shared.settings import Policy, Review, Scope, Search

Milliseconds = dict[str, float]
"""Wall time of each step, in milliseconds."""


class InlineFile(Value):
    """An upload inside a JSON request; multipart requests carry file parts instead."""

    filename: Text
    content: Base64Bytes
    """The file's bytes, base64."""


class Problem(Value):
    """What went wrong, in a stable code and one sentence."""

    code: str
    message: str
    retryable: bool
    """Whether sending the same request again can help."""

    @classmethod
    def of(cls, error: PlatenError) -> Self:
        return cls(code=error.code, message=error.message, retryable=error.retryable)


class Failure(Problem):
    """Body of every answer with a status of 400 or above."""

    request_id: str
    match: Match | None = None
    """The design that stands against it, with the codes ``duplicate`` and ``similar``."""


class Acting(Value):
    """Who a request acts for."""

    user_id: Text | None = None
    """The tenant: a UUID, or any text that names one user; unset is ``DEFAULT_USER``."""
    shop: Text | None = None
    """The shop's folder on the NAS; unset is ``DEFAULT_SHOP`` for the default user, and the
    user's id for any other: a shop belongs to one user."""


class Judging(Acting):
    """How an upload is compared with the library; unset fields are the settings'."""

    policy: Policy | None = None
    hash_threshold: Annotated[int, Field(ge=0, le=31)] | None = None
    """Hamming distance in bits of 256 at or below which two designs are duplicates."""
    review: Review | None = None
    """Whether an upload that is similar to a design is filed, or held for a person to look at."""
    search: Search | None = None
    scope: Scope | None = None


IdempotencyKey = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
"""Printable ASCII without spaces. The same key again gives the same outcomes."""


class DedupeRequest(Judging):
    template: Text
    idempotency_key: IdempotencyKey | None = None
    """Or in the header ``Idempotency-Key``. Unset makes a fresh one, which the answer names."""
    first_position: Annotated[int, Field(ge=0)] = 0
    """Position of the first file in its batch, where a batch is sent in parts."""
    normal_form: bool = False
    """Answer each file's packed normal form too. Handed to persist, it spares process making it."""
    files: list[InlineFile] = []


class Filed(Value):
    """A design as the functions tell of it."""

    id: UUID
    user_id: UUID
    shop: str
    template: str
    is_digital: bool
    is_active: bool
    number: int | None
    filename: str
    file_path: str
    source_filename: str
    upload_sha256: Hex64 | None
    phash: Hex64
    ahash: Hex64 | None
    dhash: Hex64 | None
    whash: Hex64 | None
    print_file: PrintFile | None
    preflight: Preflight | None
    created_at: datetime

    @classmethod
    def of(cls, design: Design) -> Self:
        same = {name: getattr(design, name) for name in cls.model_fields if hasattr(design, name)}
        hashes = {name: getattr(design.fingerprint, name) for name in _HASHES}
        is_active = design.state is State.ACTIVE
        return cls(id=design.design_id, is_active=is_active, **same, **hashes)


_HASHES = ("phash", "ahash", "dhash", "whash")


class Finding(Value):
    """What dedupe found of one file."""

    file: str
    position: int
    design_id: UUID
    """The id that the file's design has, or will have when it is persisted."""
    verdict: Verdict | None = None
    """None where the file could not be judged; ``error`` says why."""
    tier: Tier | None = None
    match: Match | None = None
    recorded: Filed | None = None
    """The design that an earlier request under the same key has recorded already."""
    upload_sha256: Hex64 | None = None
    fingerprint: Fingerprint | None = None
    normal_form: str | None = None
    """The picture that the fingerprint derives from, packed, where it was asked for."""
    error: Problem | None = None
    timings_ms: Milliseconds = {}


class DedupeResponse(Value):
    idempotency_key: str
    template: Template
    files: list[Finding]
    timings_ms: Milliseconds


class ProcessRequest(Acting):
    template: Template | Text
    """A built-in template's name, or a template in full: process reads no database."""
    digital: bool = False
    design_id: UUID | None = None
    """Stage the print file under this id, for persist to file."""
    filename: Text | None = None
    """Instead of a design id: publish the print file under this name at once."""
    normal_form: bool = True
    """Answer the packed normal form; false where persist gets dedupe's."""
    file: InlineFile | None = None

    @model_validator(mode="after")
    def _staged_or_published(self) -> Self:
        if (self.design_id is None) == (self.filename is None):
            raise ValueError("give either design_id or filename")
        return self


class ProcessResponse(Value):
    design_id: UUID | None
    file_path: str | None
    """Where the print file was published; None when it is staged."""
    print_file: PrintFile
    preflight: Preflight
    upload_sha256: Hex64
    normal_form: str | None
    """The picture that the fingerprint derives from, packed; hand it to persist."""
    timings_ms: Milliseconds


class PersistRequest(Judging):
    design_id: UUID
    template: Text
    digital: bool = False
    filename: Text
    """The seller's own name of the upload."""
    upload_sha256: Hex64
    print_file: PrintFile
    preflight: Preflight | None = None
    normal_form: str | None = None
    """What process or dedupe answered; unset: the upload comes along as a file."""
    allow_duplicate: bool = False
    """File the design whatever it is found to be, and remember that."""
    beside: UUID | None = None
    """The design that dedupe's match named: with ``allow_duplicate``, what is remembered too."""
    file: InlineFile | None = None


class PersistResponse(Value):
    design: Filed
    timings_ms: Milliseconds


class Done(StrEnum):
    """What was done with an uploaded file."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    HELD = "held"
    """Nothing was written, as asked: it was only checked, or it waits for a person to look."""
    FAILED = "failed"


class Outcome(Value):
    """The one outcome of one uploaded file."""

    file: str
    outcome: Done
    verdict: Verdict | None = None
    code: str | None = None
    """Why it was not filed: an error's code, ``duplicate``, ``similar`` or ``check_only``."""
    reason: str
    design_id: UUID | None = None
    filename: str | None = None
    file_path: str | None = None
    match: Match | None = None
    retryable: bool = False
    timings_ms: Milliseconds = {}


class Summary(Value):
    uploaded: int
    duplicates: int
    created: int
    held: int
    failed: int
    elapsed_ms: float
    """From the first byte read to the last row committed."""


class Result(Value):
    """What became of a batch: as many outcomes as files, in their order."""

    designs: list[Filed]
    total: int
    """Number of designs."""
    outcomes: list[Outcome]
    summary: Summary
    idempotency_key: str


class UploadRequest(Judging):
    template: Text
    digital: bool = False
    allow_duplicate: bool | list[Annotated[int, Field(ge=0)]] = False
    """File designs whatever they are found to be: all files, or those at the positions (from 0).
    What a design was filed in spite of is remembered, and not held against its picture again."""
    check_only: bool = False
    """Say what would be done; write nothing."""
    idempotency_key: IdempotencyKey | None = None
    """Or in the header ``Idempotency-Key``. Unset makes a fresh one, which the answer names."""
    files: list[InlineFile] = []


class Trouble(StrEnum):
    """How a row and the NAS differ."""

    PENDING = "pending"
    """A row whose upload broke off before its file had its name."""
    MISSING = "missing"
    """A design whose file is not on the NAS."""
    SIZE = "size"
    """A design whose file has another size than its row says."""
    CONTENT = "content"
    """A design whose file has other bytes than its row says."""
    UNREAD = "unread"
    """A design whose file could not be looked at."""
    UNRECORDED = "unrecorded"
    """A file in a shop's folder that no row has."""
    LEFTOVER = "leftover"
    """A staged or temporary file that nothing waits for."""


class Discrepancy(Value):
    """One thing that is not in order, and what was done about it."""

    trouble: Trouble
    file_path: str
    """In the NAS's own names."""
    design_id: UUID | None = None
    user_id: UUID | None = None
    message: str
    repaired: bool = False


class ReconcileRequest(Value):
    repair: bool = False
    """Finish or forget what broke off and remove leftovers; unset: say what there is to do."""
    verify: bool = False
    """Read every file and compare its bytes with its row, not its size alone."""


MAX_TOLD = 1000
"""Discrepancies that one answer names: the rest is counted."""


class ReconcileResponse(Value):
    found: list[Discrepancy]
    """The first 1,000."""
    counts: dict[Trouble, int]
    """How many there are of each kind."""
    left: int
    """How many of all were not repaired."""

    @classmethod
    def of(cls, found: Iterable[Discrepancy]) -> Self:
        told: list[Discrepancy] = []
        counts: Counter[Trouble] = Counter()
        left = 0
        for each in found:
            counts[each.trouble] += 1
            left += not each.repaired
            if len(told) < MAX_TOLD:
                told.append(each)
        return cls(found=told, counts=dict(counts), left=left)


class Event(Value):
    """One line of an upload's stream."""

    event: str
    """``progress``, ``outcome`` or, last, ``result``; ``error`` where no batch could be run."""
    step: int | None = None
    message: str | None = None
    file: str | None = None
    outcome: Outcome | None = None
    result: Result | None = None
    error: Problem | None = None


Progress = Callable[[int, str], None]
"""``progress_callback(step, message)``: 0 while files are checked, 1 while they are prepared."""
