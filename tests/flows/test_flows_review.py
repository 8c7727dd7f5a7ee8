"""persist looks again: what is similar is held where asked, and what is allowed is remembered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from PIL import Image
from test_flows_persist import SELLER, Job, broken_database, broken_nas, files, whole

from shared.errors import DatabaseUnavailable, DuplicateDesign, NasUnavailable, SimilarDesign
from shared.identity import tenant
from shared.messages import PersistRequest
from shared.nas.names import staged
from shared.records import State, Template, Verdict
from shared.wiring import Parts
from tests.draw import encoded, marked, wrap
from tests.legacy import rows_of

PICTURE = wrap(1, 320, 146)
TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
FOLDER = "NookTransfers/Nook/Tiny UV"


@pytest.fixture(autouse=True)
def tiny(parts: Parts) -> None:
    parts.designs.save_template(tenant(SELLER), TINY)


class Judged(Job):
    """An upload whose request to persist says how it is judged."""

    def __init__(self, parts: Parts, picture: Image.Image, judging: dict[str, object]) -> None:
        super().__init__(parts, template="Tiny UV")
        self.source = parts.source("a.png", encoded(picture))
        self._judging = judging

    def process(self, template: Template | None = TINY) -> PersistRequest:
        asked = super().process(template).model_dump() | self._judging
        return PersistRequest.model_validate(asked | {"template": "Tiny UV"})


def job(parts: Parts, picture: Image.Image = PICTURE, **judging: object) -> Judged:
    return Judged(parts, picture, judging)


def persist(parts: Parts, made: Job) -> UUID:
    return parts.persist(None, made.process()).response.design.id


class TestHold:
    def test_refuses_what_is_similar_and_removes_its_staged_file(self, parts: Parts) -> None:
        known = persist(parts, job(parts))
        late = job(parts, marked(PICTURE), review="hold")

        with pytest.raises(SimilarDesign) as caught:
            persist(parts, late)

        assert (caught.value.code, caught.value.match.verdict) == ("similar", Verdict.SIMILAR)
        assert caught.value.match.design_id == known
        assert late.row() is None
        assert files(parts, ".platen") == []

    def test_files_a_variant(self, parts: Parts) -> None:
        persist(parts, job(parts))

        persist(parts, job(parts, PICTURE.convert("L").convert("RGB"), review="hold"))

        assert files(parts, FOLDER) == ["UV_001.png", "UV_002.png"]

    def test_calls_a_duplicate_a_duplicate(self, parts: Parts) -> None:
        persist(parts, job(parts))

        with pytest.raises(DuplicateDesign) as caught:
            persist(parts, job(parts, review="hold"))

        assert caught.value.code == "duplicate"

    def test_does_not_keep_a_pending_design_from_its_place(self, parts: Parts) -> None:
        lost, late = job(parts), job(parts, marked(PICTURE), review="hold")
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish").persist(None, lost.process())

        with pytest.raises(SimilarDesign) as caught:
            persist(parts, late)

        assert caught.value.match.design_id == lost.design_id
        assert whole(parts, lost.row())

    def test_files_where_the_pending_designs_file_is_gone_for_good(self, parts: Parts) -> None:
        lost, late = job(parts), job(parts, marked(PICTURE), review="hold")
        request = lost.process()
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish").persist(None, request)
        parts.nas.delete(staged(lost.design_id, request.print_file.sha256))

        persist(parts, late)

        assert lost.row() is None
        assert whole(parts, late.row())

    def test_of_similar_ones_that_race_files_one(self, parts: Parts) -> None:
        requests = [
            job(parts, picture, review="hold").process()
            for picture in (PICTURE, marked(PICTURE)) * 3
        ]

        def attempt(request: PersistRequest) -> str:
            try:
                parts.persist(None, request)
            except DuplicateDesign as error:
                return error.code
            return "created"

        with ThreadPoolExecutor(6) as racers:
            became = sorted(racers.map(attempt, requests))

        assert became == ["created", "duplicate", "duplicate", "similar", "similar", "similar"]
        assert files(parts, FOLDER) == ["UV_001.png"]
        assert files(parts, ".platen") == []


class TestAllowed:
    def allowed(self, parts: Parts) -> list[tuple[UUID, UUID]]:
        engine = parts.designs._engine
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT design_id, other_id FROM allowed_pairs")
            return [tuple(row) for row in found]

    def test_names_every_design_it_is_something_to_and_no_other(self, parts: Parts) -> None:
        near = {
            persist(parts, job(parts)),
            persist(parts, job(parts, PICTURE.convert("L").convert("RGB"))),
        }
        persist(parts, job(parts, wrap(2, 320, 146)))

        own = persist(parts, job(parts, marked(PICTURE), allow_duplicate=True))

        assert set(self.allowed(parts)) == {(own, other) for other in near}

    def test_names_the_look_alike_that_dedupe_told_of_if_it_is_the_tenants_own(
        self, parts: Parts
    ) -> None:
        far = persist(parts, job(parts, wrap(2, 320, 146)))
        others = Job(parts, user_id="other", shop="Other").run().response.design.id

        for beside in (far, others, uuid4()):
            persist(parts, job(parts, allow_duplicate=True, beside=beside))

        assert {other for _, other in self.allowed(parts)} & {far, others} == {far}

    def test_is_written_once_with_the_row_or_not_at_all(self, parts: Parts) -> None:
        persist(parts, job(parts))
        wanted = job(parts, marked(PICTURE), allow_duplicate=True)
        request = wanted.process()
        with pytest.raises(DatabaseUnavailable):
            broken_database(parts, "unit").persist(None, request)
        assert self.allowed(parts) == []

        for _ in range(2):
            parts.persist(None, request)

        assert len(self.allowed(parts)) == 1

    def test_is_forgotten_with_a_design_whose_file_was_lost(self, parts: Parts) -> None:
        persist(parts, job(parts))
        lost = job(parts, marked(PICTURE), allow_duplicate=True)
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish").persist(None, lost.process())
        assert len(self.allowed(parts)) == 1
        with parts.designs.unit(tenant(SELLER)) as unit:
            unit.forget(lost.design_id)

        assert self.allowed(parts) == []
        with pytest.raises(SimilarDesign):
            persist(parts, job(parts, marked(PICTURE), review="hold"))

    def test_lets_the_picture_in_again_and_keeps_its_copies_out(self, parts: Parts) -> None:
        persist(parts, job(parts))
        copy = PICTURE.resize((300, 137), Image.Resampling.LANCZOS)
        first = persist(parts, job(parts, copy, allow_duplicate=True))
        rows_of(parts).do("UPDATE design_images SET is_active = false WHERE id = :id", id=first)

        second = job(parts, copy)
        persist(parts, second)

        assert second.row().state is State.ACTIVE
        with pytest.raises(DuplicateDesign):
            persist(parts, job(parts, copy))
