"""What a person sees of a batch on its way: the workflow's log lines and progress messages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec
from uuid import UUID

from shared.messages import (
    Event,
    Filed,
    Finding,
    Outcome,
    PersistResponse,
    ProcessResponse,
    Progress,
    Summary,
)
from shared.records import Match, Tier, Verdict

log = logging.getLogger("platen.driver")

P = ParamSpec("P")

_RELATIONS = {
    Verdict.DUPLICATE: ("⚠️", "duplicate of"),
    Verdict.VARIANT: ("🎨", "a colour variant of"),
    Verdict.SIMILAR: ("👀", "similar to"),
}

CHECKING, PROCESSING = 0, 1
"""The workflow's steps, as ``progress_callback`` numbers them."""

MEBIBYTE = 1024 * 1024


class Report:
    """Logs each step with its timing and tells the callbacks; on the driver's thread only."""

    def __init__(
        self,
        count: int,
        progress_callback: Progress | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._count = count
        self._progress = progress_callback
        self._event = on_event

    def started(self, workflow: str) -> None:
        self._say(
            f"🔍 Starting optimized duplicate check for {self._count} files ({workflow})",
            files=self._count,
            workflow=workflow,
        )
        self._step(CHECKING, "Checking for duplicates using database indexes")

    def fell_back(self, left: int, reason: str) -> None:
        self._warn(
            f"⚠️ Falling back to the original workflow for {left} files: {reason}", files=left
        )

    def checking(self, position: int, file: str) -> None:
        """The line that opens one file's own: told when its turn comes, so files never mix."""
        number = f"[{position + 1}/{self._count}]"
        self._say(f"🔍 {number} Checking file for duplicates: {file}", file=file)

    def checked(self, finding: Finding, match: Match | None) -> None:
        """The lines of one file's check; ``match`` is the decisive one, the batch's included."""
        file, timings = finding.file, finding.timings_ms
        tier = match.tier if match else None
        if tier is not Tier.BATCH:
            verdict = match.verdict if match else Verdict.UNIQUE
            exact, near = timings.get("exact", 0), timings.get("hamming", 0)
            if tier is Tier.EXACT:
                self._tier("Database duplicate check", exact, verdict)
            else:
                self._tier("Database duplicate check", exact, Verdict.UNIQUE)
                self._tier("Hamming check", near, verdict)
        seconds = timings.get("total", 0) / 1000
        if match is None:
            self._say(
                f"✅ File {file} is unique (checked in {seconds:.2f}s)",
                file=file,
                timings_ms=timings,
            )
        else:
            sign, relation = _RELATIONS[match.verdict]
            self._say(
                f"{sign} File {file} is {relation} {match.filename} (checked in {seconds:.2f}s)",
                file=file,
                verdict=match.verdict.value,
                tier=match.tier.value,
                design_id=str(match.design_id),
                timings_ms=timings,
            )

    def processing(self, position: int, file: str, digital: bool) -> None:
        number = f"{position + 1}/{self._count}"
        kind = "digital" if digital else "physical"
        self._say(f"📦 [{number}] Processing non-duplicate file: {file}", file=file)
        self._say(f"📥 Processing {kind} image: {file}", file=file)
        self._step(PROCESSING, f"Processing and formatting images ({number})", file)

    def processed(self, file: str, answer: ProcessResponse) -> None:
        timings = answer.timings_ms
        crop, encode = (timings.get(step, 0) for step in ("crop", "encode"))
        size = answer.print_file.size / MEBIBYTE
        self._say(f"✂️ Cropped image in {crop / 1000:.2f}s", file=file, crop_ms=crop)
        if (resize := timings.get("resize")) is not None:  # digital files keep their pixels
            self._say(f"📐 Resized image in {resize / 1000:.2f}s", file=file, resize_ms=resize)
        self._say(
            f"💾 Encoded image to bytes in {encode / 1000:.2f}s ({size:.2f}MB)",
            file=file,
            encode_ms=encode,
            bytes=answer.print_file.size,
        )

    def persisted(self, file: str, process: ProcessResponse, persist: PersistResponse) -> None:
        """The lines of a design that stands under its final name."""
        design = persist.design
        name = design.filename
        nas = process.timings_ms.get("nas", 0) + persist.timings_ms.get("nas", 0)
        total = process.timings_ms.get("total", 0) + persist.timings_ms.get("total", 0)
        self._say(
            f"✅ Uploaded design to NAS in {nas / 1000:.2f}s: {_shop_relative(design)}",
            file=file,
            file_path=design.file_path,
            nas_ms=nas,
        )
        self._say(
            f"✅ Total processing time for {name}: {total / 1000:.2f}s", file=file, total_ms=total
        )
        hashes = {kind: getattr(design, kind) for kind in ("phash", "ahash", "dhash", "whash")}
        heads = ", ".join(f"{kind}={(value or '')[:8]}..." for kind, value in hashes.items())
        self._say(f"🔐 Generated hashes for {name}: {heads}", file=file, **hashes)
        self._say(f"✅ Added design to database: {name}", file=file, design_id=str(design.id))

    def overtaken(self, file: str, match: Match) -> None:
        """A file was found to be new, but what stands against it was recorded before it was."""
        sign, relation = _RELATIONS[match.verdict]
        self._say(
            f"{sign} File {file} is {relation} {match.filename}, which got in first",
            file=file,
            tier=match.tier.value,
            design_id=str(match.design_id),
        )

    def waiting(self, file: str, design_id: UUID, key: str) -> None:
        """A print file that stays on the NAS without a row, or its row without its name."""
        self._warn(
            f"⚠️ Print file of {file} waits on the NAS: the same idempotency key finishes it",
            file=file,
            design_id=str(design_id),
            idempotency_key=key,
        )

    def settled(self, outcome: Outcome) -> None:
        """One file has its outcome."""
        if outcome.outcome == "failed":
            self._warn(
                f"❌ File {outcome.file} failed: {outcome.reason}",
                file=outcome.file,
                code=outcome.code,
            )
        if self._event:
            _tell(self._event, Event(event="outcome", file=outcome.file, outcome=outcome))

    def finished(self, user: UUID, summary: Summary) -> None:
        self._say(
            f"✅ Successfully created {summary.created} designs for user: {user}",
            user_id=str(user),
            created=summary.created,
        )
        self._say(
            f"📊 Summary: {summary.uploaded} uploaded, {summary.duplicates} duplicates skipped, "
            f"{summary.created} created",
            **summary.model_dump(),
        )

    def _tier(self, check: str, milliseconds: float, verdict: Verdict) -> None:
        answer = verdict.value.upper()
        self._say(
            f"🔍 {check} completed in {milliseconds / 1000:.3f}s: {answer}",
            check=check,
            answer=answer,
            check_ms=milliseconds,
        )

    def _step(self, step: int, message: str, file: str | None = None) -> None:
        if self._progress:
            _tell(self._progress, step, message)
        if self._event:
            _tell(self._event, Event(event="progress", step=step, message=message, file=file))

    @staticmethod
    def _say(message: str, **fields: object) -> None:
        log.info("%s", message, extra={"fields": fields})

    @staticmethod
    def _warn(message: str, **fields: object) -> None:
        log.warning("%s", message, extra={"fields": fields})


def _tell(callback: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call a watcher. One that fails changes nothing of what becomes of the files."""
    try:
        callback(*args, **kwargs)
    except Exception:
        log.exception("a callback of the driver failed")


def _shop_relative(design: Filed) -> str:
    """The path within the shop's folder, as the workflow logs it: ``Template/UV_001.png``."""
    return f"{'Digital/' * design.is_digital}{design.template}/{design.filename}"
