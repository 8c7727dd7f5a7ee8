"""The promises, looked at: what sellers were told, the rows, and the files must agree."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from benchmarks.soak.ledger import Request
from shared.database.rows import COLUMNS, to_designs
from shared.fingerprint.verdict import Rule, compare
from shared.messages import Done, Outcome
from shared.nas.names import STAGING, Places
from shared.records import Candidate, Design, Probe, State, Verdict


@dataclass(frozen=True, slots=True)
class Stores:
    """The database and the NAS as they were found."""

    designs: Mapping[UUID, Design]
    files: Mapping[str, str]
    """The sha256 of each file of the shops by its path in rows."""
    staged: tuple[str, ...]
    """What lies in the staging folder."""

    @classmethod
    def read(cls, engine: sa.Engine, folder: Path, places: Places) -> Stores:
        """``folder``: of this machine, what the share shows."""
        with engine.connect() as connection:
            found = to_designs(connection.execute(sa.select(*COLUMNS)).all())
        files = {
            str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()
        }
        own = {name for name in files if name.startswith(f"{STAGING}/")}
        return cls(
            designs={design.design_id: design for design in found},
            files={places.stored(name): _sha256(files[name]) for name in files.keys() - own},
            staged=tuple(sorted(own)),
        )

    def is_whole(self, design_id: UUID | None) -> bool:
        """Whether a design is active, and its file is there with its bytes."""
        design = self.designs.get(design_id) if design_id else None
        if design is None or design.state is not State.ACTIVE or design.print_file is None:
            return False
        return self.files.get(design.file_path) == design.print_file.sha256


def told(requests: Iterable[Request]) -> Iterator[str]:
    """Violations in the answers alone: none, too few, or others than before."""
    for request in requests:
        if request.refused:
            yield f"request {request.key} was refused: {request.refused}"
        elif not request.is_settled:
            yield f"request {request.key} has no final answer: {request.retries[-1:]}"
        for result in request.results:
            if [outcome.file for outcome in result.outcomes] != request.files:
                yield f"request {request.key} got other outcomes than files"
        for file in request.files:
            yield from _of_file(request, file)


def kept(requests: Iterable[Request], stores: Stores) -> Iterator[str]:
    """Violations of what was acknowledged: a design that was filed, or one that stood for it."""
    for request in requests:
        for outcome in request.told:
            where = f"{outcome.file} of request {request.key}"
            if outcome.outcome is Done.CREATED and not stores.is_whole(outcome.design_id):
                yield f"{where} was filed as {outcome.design_id}, which is not there whole"
        for outcome in _final(request):
            stands = outcome.match.design_id if outcome.match else None
            if outcome.outcome is Done.DUPLICATE and not stores.is_whole(stands):
                where = f"{outcome.file} of request {request.key}"
                yield f"{where} is a duplicate of {stands}, which is not there whole"
        for result in request.results:
            for filed in result.designs:
                design = stores.designs.get(filed.id)
                if design is None or filed.print_file != design.print_file:
                    yield f"design {filed.id} has another print file than was told"


def agreeing(stores: Stores) -> Iterator[str]:
    """Violations between rows and files."""
    for design in stores.designs.values():
        if design.state is State.PENDING:
            yield f"design {design.design_id} is pending"
    active = [each for each in stores.designs.values() if each.state is State.ACTIVE]
    paths = [each.file_path for each in active]
    if len(set(paths)) < len(paths):
        yield "designs share a path"
    for design in active:
        if not stores.is_whole(design.design_id):
            yield f"design {design.design_id} has no file of its bytes at {design.file_path}"
    for path in sorted(stores.files.keys() - set(paths)):
        yield f"file {path} has no row"
    for name in stores.staged:
        yield f"{name} is left over"


def single(stores: Stores, rule: Rule) -> Iterator[str]:
    """Violations of one artwork, one design: each is judged beside the older ones of its user."""
    older: dict[UUID, list[Candidate]] = defaultdict(list)
    active = [each for each in stores.designs.values() if each.state is State.ACTIVE]
    for design in sorted(active, key=lambda each: each.sequence):
        others = older[design.user_id]
        probe = Probe(design.fingerprint, str(design.upload_sha256))
        for other, found in zip(others, compare(probe, others, rule), strict=True):
            if found.verdict is Verdict.DUPLICATE:
                what = f"a duplicate of {other.design_id} by {found.test.name.lower()}"
                yield f"design {design.design_id} is {what}"
        others.append(_candidate(design))


def _of_file(request: Request, file: str) -> Iterator[str]:
    """Violations among the answers for one file: once filed, it is the same design for ever."""
    own = [outcome for outcome in request.told if outcome.file == file]
    filed: Outcome | None = None
    for outcome in own:
        where = f"{file} of request {request.key}"
        if outcome.outcome is Done.FAILED and not outcome.retryable:
            yield f"{where} failed: {outcome.code}"
        elif outcome.outcome is Done.DUPLICATE and (
            filed or (outcome.match and outcome.match.design_id == request.design(file))
        ):
            yield f"{where} is called a duplicate of its own"
        elif outcome.outcome is Done.CREATED:
            filed = filed or outcome
            if (outcome.design_id, outcome.file_path) != (filed.design_id, filed.file_path):
                yield f"{where} was filed as {filed.file_path}, and as {outcome.file_path}"


def _final(request: Request) -> list[Outcome]:
    return request.results[-1].outcomes if request.results else []


def _candidate(design: Design) -> Candidate:
    return Candidate(
        design_id=design.design_id,
        filename=design.filename,
        file_path=design.file_path,
        state=design.state,
        sequence=design.sequence,
        upload_sha256=design.upload_sha256,
        fingerprint=design.fingerprint,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
