"""What became of each file of a batch: exactly one outcome, in the files' order."""

from __future__ import annotations

from collections.abc import Callable

from shared.errors import DuplicateDesign, SimilarDesign
from shared.messages import Done, Filed, Finding, Milliseconds, Outcome, Problem, Result, Summary
from shared.records import Match, Verdict


class Ledger:
    """Files in, outcomes out. ``on_settled`` is told of each outcome as it is entered."""

    def __init__(self, files: list[str], on_settled: Callable[[int, Outcome], None]) -> None:
        self._files = files
        self._on_settled = on_settled
        self._outcomes: dict[int, Outcome] = {}
        self._designs: dict[int, Filed] = {}

    def left(self) -> list[int]:
        """Positions of the files that have no outcome yet."""
        return [at for at in range(len(self._files)) if at not in self._outcomes]

    def design(self, at: int) -> Filed | None:
        """The design that the file at a position was filed as."""
        return self._designs.get(at)

    def created(
        self, at: int, design: Filed, match: Match | None, timings_ms: Milliseconds
    ) -> None:
        """``match`` is what it was filed beside: a variant, what is similar, or what is allowed."""
        self._designs[at] = design
        self._settle(
            at,
            Done.CREATED,
            verdict=_verdict(match),
            reason=f"Filed as {design.filename}{_beside(match)}.",
            design_id=design.id,
            filename=design.filename,
            file_path=design.file_path,
            match=match,
            timings_ms=timings_ms,
        )

    def duplicate(self, at: int, match: Match, timings_ms: Milliseconds) -> None:
        self._settle(
            at,
            Done.DUPLICATE,
            verdict=Verdict.DUPLICATE,
            code=DuplicateDesign.code,
            reason=f"The shop already has it as {match.filename}.",
            match=match,
            timings_ms=timings_ms,
        )

    def held(self, at: int, match: Match, timings_ms: Milliseconds) -> None:
        """A file that waits for a person to look at it and at its match."""
        self._settle(
            at,
            Done.HELD,
            verdict=Verdict.SIMILAR,
            code=SimilarDesign.code,
            reason=f"Held: it is similar to {match.filename}. Allow it if both are wanted.",
            match=match,
            timings_ms=timings_ms,
        )

    def checked(self, at: int, match: Match | None, timings_ms: Milliseconds) -> None:
        """A file that was to be checked only. ``match`` is what it would be filed beside."""
        would = f"It would be filed{_beside(match)}" if match else "The shop does not have it"
        self._settle(
            at,
            Done.HELD,
            verdict=_verdict(match),
            code="check_only",
            reason=f"{would}; nothing was written, as asked.",
            match=match,
            timings_ms=timings_ms,
        )

    def failed(self, at: int, problem: Problem, finding: Finding | None = None) -> None:
        self._settle(
            at,
            Done.FAILED,
            verdict=finding.verdict if finding else None,
            code=problem.code,
            reason=problem.message,
            retryable=problem.retryable,
            timings_ms=finding.timings_ms if finding else {},
        )

    def result(self, key: str, elapsed_s: float) -> Result:
        """The batch's result, once no file is left."""
        outcomes = [self._outcomes[at] for at in range(len(self._files))]
        counts = {done: sum(outcome.outcome is done for outcome in outcomes) for done in Done}
        designs = [self._designs[at] for at in sorted(self._designs)]
        return Result(
            designs=designs,
            total=len(designs),
            outcomes=outcomes,
            summary=Summary(
                uploaded=len(outcomes),
                duplicates=counts[Done.DUPLICATE],
                created=counts[Done.CREATED],
                held=counts[Done.HELD],
                failed=counts[Done.FAILED],
                elapsed_ms=round(elapsed_s * 1000, 3),
            ),
            idempotency_key=key,
        )

    def _settle(self, at: int, done: Done, **facts: object) -> None:
        outcome = Outcome.model_validate({"file": self._files[at], "outcome": done, **facts})
        self._outcomes[at] = outcome
        self._on_settled(at, outcome)


def _verdict(match: Match | None) -> Verdict:
    return match.verdict if match else Verdict.UNIQUE


def _beside(match: Match | None) -> str:
    """What a filed design is to the one it was filed beside, as a clause."""
    return f"; {_RELATION[match.verdict].format(match.filename)}" if match else ""


_RELATION = {
    Verdict.DUPLICATE: "the shop has it as {} too, as allowed",
    Verdict.VARIANT: "it is {} in other colours",
    Verdict.SIMILAR: "it is similar to {}",
}


def refused(files: list[str], problem: Problem, key: str) -> Result:
    """The result of a batch that could not be started: every file failed for the same reason."""
    ledger = Ledger(files, lambda at, outcome: None)  # noqa: ARG005 - nobody watches
    for at in ledger.left():
        ledger.failed(at, problem)
    return ledger.result(key, elapsed_s=0)
