"""persist's commit protocol: each window in which a step can be lost, and who finishes then."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from shared.errors import (
    DatabaseUnavailable,
    DuplicateDesign,
    KeyReused,
    NasUnavailable,
    ShopTaken,
    StagedFileMissing,
)
from shared.flows.persist import Persisted
from shared.flows.publish import Publisher
from shared.flows.source import Source
from shared.identity import tenant
from shared.messages import PersistRequest, ProcessRequest
from shared.nas.names import staged
from shared.records import Design, PrintFile, State, Template
from shared.settings import Policy
from shared.wiring import Parts
from tests.draw import encoded, wrap

SELLER = "seller"
FOLDER = "NookTransfers/Nook/UVDTF 16oz"
SMALLER = Template(name="UVDTF 16oz", width_in=2, height_in=1)


class Job:
    """One upload, as the driver sends it through process and persist."""

    def __init__(self, parts: Parts, seed: int = 1, **request: object) -> None:
        self.parts = parts
        self.design_id = uuid4()
        self.source: Source = parts.source(f"{seed}.png", encoded(wrap(seed, 600, 274)))
        self._print_file: PrintFile | None = None
        self._request = {"user_id": SELLER, "shop": "Nook", "template": "UVDTF 16oz"} | request

    def process(self, template: Template | None = None) -> PersistRequest:
        """``template`` in full: the tenant's own, where it is not a built-in one."""
        own = {"template": template} if template else {}
        asked = ProcessRequest.model_validate(self._request | own | {"design_id": self.design_id})
        answer = self.parts.process(self.source, asked)
        self._print_file = answer.print_file
        return PersistRequest.model_validate(
            self._request
            | {
                "design_id": self.design_id,
                "filename": self.source.filename,
                "upload_sha256": answer.upload_sha256,
                "print_file": answer.print_file,
                "preflight": answer.preflight,
                "normal_form": answer.normal_form,
            }
        )

    def run(self) -> Persisted:
        return self.parts.persist(None, self.process())

    def staged(self) -> str:
        """Where the print file that was processed last is staged."""
        assert self._print_file is not None
        return staged(self.design_id, self._print_file.sha256)

    def row(self) -> Design | None:
        return self.parts.designs.get(tenant(SELLER), self.design_id)


class Faulty:
    """Stands before an adapter and breaks one verb's next call, before or after it is done."""

    def __init__(self, real: object, verb: str, error: Exception, *, after: bool = False) -> None:
        self._real = real
        self._verb = verb
        self._error: Exception | None = error
        self._after = after

    def __getattr__(self, name: str) -> Callable[..., object]:
        real = getattr(self._real, name)
        if name != self._verb or self._error is None:
            return real

        def broken(*args: object, **kwargs: object) -> object:
            error, self._error = self._error, None
            if self._after:
                real(*args, **kwargs)
            if error:
                raise error
            return real(*args, **kwargs)

        return broken


class Late:
    """The database, in which another request records its design before the first look."""

    def __init__(self, parts: Parts, request: PersistRequest) -> None:
        self._parts = parts
        self._request: PersistRequest | None = request

    def __getattr__(self, name: str) -> object:
        return getattr(self._parts.designs, name)

    def watermark(self, user: UUID) -> int:
        mark = self._parts.designs.watermark(user)
        if self._request is not None:
            request, self._request = self._request, None
            with pytest.raises(NasUnavailable):
                broken_nas(self._parts, "publish").persist(None, request)
        return mark


def broken_nas(parts: Parts, verb: str, *, after: bool = False) -> Parts:
    other = Parts(parts.settings)
    other._designs = parts.designs
    other._nas = Faulty(parts.nas, verb, NasUnavailable(), after=after)
    return other


def broken_database(parts: Parts, verb: str, *, after: bool = False) -> Parts:
    other = Parts(parts.settings)
    other._designs = Faulty(parts.designs, verb, DatabaseUnavailable(), after=after)
    other._nas = parts.nas
    return other


def files(parts: Parts, folder: str = FOLDER) -> list[str]:
    return sorted(entry.path.rpartition("/")[2] for entry in parts.nas.list(folder))


def whole(parts: Parts, design: Design | None) -> bool:
    """Whether an active design's file stands with the size and sha256 of its row."""
    assert design is not None
    assert design.state is State.ACTIVE
    data = parts.nas.read(parts.places.relative(design.file_path)) or b""
    sha256 = hashlib.sha256(data).hexdigest()
    return (len(data), sha256) == (design.print_file.size, design.print_file.sha256)


class TestPersist:
    def test_creates_the_row_and_brings_the_file_under_its_name(self, parts: Parts) -> None:
        job = Job(parts)

        persisted = job.run()

        assert persisted.created
        assert persisted.response.design.filename == "UV_001.png"
        assert whole(parts, job.row())
        assert files(parts, ".platen") == []

    def test_answers_the_same_design_when_it_is_asked_again(self, parts: Parts) -> None:
        job = Job(parts)
        first, again = job.run(), job.run()

        assert not again.created
        assert again.response.design == first.response.design
        assert files(parts) == ["UV_001.png"]
        assert files(parts, ".platen") == []

    def test_takes_the_upload_instead_of_the_normal_form(self, parts: Parts) -> None:
        job = Job(parts)
        request = job.process().model_copy(update={"normal_form": None})

        design = parts.persist(job.source, request).response.design

        assert design.phash == job.source.fingerprint.phash

    def test_refuses_a_duplicate_that_got_in_first_and_removes_the_staged_file(
        self, parts: Parts
    ) -> None:
        first, second = Job(parts), Job(parts)
        request = second.process()
        created = first.run().response.design

        with pytest.raises(DuplicateDesign) as caught:
            parts.persist(None, request)

        assert caught.value.match.design_id == created.id
        assert second.row() is None
        assert files(parts, ".platen") == []

    def test_refuses_another_upload_under_the_same_id(self, parts: Parts) -> None:
        job = Job(parts)
        request = job.process()
        parts.persist(None, request)

        with pytest.raises(KeyReused):
            parts.persist(None, request.model_copy(update={"upload_sha256": "0" * 64}))

    @pytest.mark.parametrize("other", [{"template": "DTF Youth"}, {"digital": True}, {"shop": "X"}])
    def test_refuses_another_product_or_shop_under_the_same_id(
        self, parts: Parts, other: dict[str, object]
    ) -> None:
        job = Job(parts)
        request = job.process()
        parts.persist(None, request)

        with pytest.raises(KeyReused):
            parts.persist(None, request.model_copy(update=other))

    def test_needs_the_staged_file(self, parts: Parts) -> None:
        job = Job(parts)
        request = job.process()
        parts.nas.delete(job.staged())

        with pytest.raises(StagedFileMissing):
            parts.persist(None, request)
        assert job.row() is None

    def test_refuses_a_shop_of_another_tenant_however_it_is_spelt(self, parts: Parts) -> None:
        Job(parts).run()

        with pytest.raises(ShopTaken):
            Job(parts, 2, user_id="other", shop="NOOK").run()
        assert files(parts, ".platen") == []

    def test_files_under_one_name_of_the_shop_however_it_is_spelt_later(self, parts: Parts) -> None:
        Job(parts).run()

        design = Job(parts, 2, shop="NOOK").run().response.design

        assert (design.shop, design.filename) == ("Nook", "UV_002.png")
        assert files(parts) == ["UV_001.png", "UV_002.png"]

    def test_leaves_a_file_of_somebody_elses_alone_and_takes_the_number_above_it(
        self, parts: Parts
    ) -> None:
        for number in (1, 2, 7):
            parts.nas.create(f"{FOLDER}/UV_{number:03d}.png", b"not ours")
        job = Job(parts)

        design = job.run().response.design

        assert design.filename == "UV_008.png"
        assert parts.nas.read(f"{FOLDER}/UV_001.png") == b"not ours"
        assert whole(parts, job.row())

    def test_never_gives_a_number_twice(self, parts: Parts) -> None:
        first = Job(parts)
        first.run()
        parts.nas.delete(f"{FOLDER}/UV_001.png")
        with parts.designs.unit(tenant(SELLER)) as unit:
            unit.forget(first.design_id)

        assert Job(parts, 2).run().response.design.filename == "UV_002.png"


class TestWhereTheNasFails:
    def test_before_the_rename_no_row_is_active_and_the_same_request_finishes(
        self, parts: Parts
    ) -> None:
        job = Job(parts)
        request = job.process()
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish").persist(None, request)
        assert job.row().state is State.PENDING
        assert files(parts) == []

        persisted = parts.persist(None, request)

        assert persisted.response.design.filename == "UV_001.png"
        assert whole(parts, job.row())

    def test_after_the_rename_the_same_request_adopts_the_file(self, parts: Parts) -> None:
        job = Job(parts)
        request = job.process()
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish", after=True).persist(None, request)
        assert files(parts) == ["UV_001.png"]

        parts.persist(None, request)

        assert whole(parts, job.row())
        assert files(parts) == ["UV_001.png"]

    def test_a_new_upload_of_the_picture_finishes_the_pending_one(self, parts: Parts) -> None:
        """A seller who sends the file again is not told of a duplicate that was never filed."""
        lost, again = Job(parts), Job(parts)
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish").persist(None, lost.process())

        with pytest.raises(DuplicateDesign) as caught:
            again.run()

        assert caught.value.match.design_id == lost.design_id
        assert whole(parts, lost.row())

    def test_a_new_upload_takes_the_place_of_a_pending_one_whose_file_is_gone(
        self, parts: Parts
    ) -> None:
        lost, again = Job(parts), Job(parts)
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish").persist(None, lost.process())
        parts.nas.delete(lost.staged())

        design = again.run().response.design

        assert lost.row() is None
        assert design.filename == "UV_002.png"
        assert whole(parts, again.row())


class TestWhereTheDatabaseFails:
    @pytest.mark.parametrize("verb", ["get", "template", "watermark", "exact", "near", "unit"])
    def test_before_the_row_nothing_is_filed_and_the_same_request_finishes(
        self, parts: Parts, verb: str
    ) -> None:
        job = Job(parts)
        request = job.process()
        with pytest.raises(DatabaseUnavailable):
            broken_database(parts, verb).persist(None, request)
        assert files(parts) == []

        parts.persist(None, request)

        assert whole(parts, job.row())

    @pytest.mark.parametrize("after", [False, True])
    def test_at_the_last_step_the_same_request_finishes(self, parts: Parts, after: bool) -> None:
        job = Job(parts)
        request = job.process()
        with pytest.raises(DatabaseUnavailable):
            broken_database(parts, "activate", after=after).persist(None, request)

        persisted = parts.persist(None, request)

        assert persisted.response.design.filename == "UV_001.png"
        assert whole(parts, job.row())
        assert files(parts) == ["UV_001.png"]


class TestARowThatIsChangedMeanwhile:
    def pending(self, parts: Parts) -> Design:
        job = Job(parts)
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish").persist(None, job.process())
        design = job.row()
        assert design is not None
        return design

    def test_is_not_forgotten(self, parts: Parts) -> None:
        design = self.pending(parts)
        publisher = Publisher(tenant(SELLER), parts.designs, parts.nas, parts.places)
        moved = design.model_copy(update={"number": 7, "file_path": f"{design.file_path}.png"})
        with parts.designs.unit(tenant(SELLER)) as unit:
            unit.move(moved)

        publisher.forget(design)
        assert parts.designs.get(tenant(SELLER), design.design_id) == moved
        publisher.forget(moved)
        assert parts.designs.get(tenant(SELLER), design.design_id) is None

    def test_is_not_told_to_be_filed(self, parts: Parts) -> None:
        """It was removed after its file got its name, and before it was set active."""
        design = self.pending(parts)
        publisher = Publisher(tenant(SELLER), parts.designs, parts.nas, parts.places)
        with parts.designs.unit(tenant(SELLER)) as unit:
            unit.forget(design.design_id)

        with pytest.raises(StagedFileMissing):
            publisher.finish(design)


class TestAPrintFileThatWasPreparedAnew:
    """A template that was changed meanwhile gives another print file for the same upload.

    So does another version of an encoder.
    """

    def retried(
        self, parts: Parts, *, after: bool, is_lost: bool = True
    ) -> tuple[Job, PersistRequest]:
        job = Job(parts)
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish", after=after).persist(None, job.process())
        if is_lost:
            parts.nas.delete(job.staged())
        parts.designs.save_template(tenant(SELLER), SMALLER)
        return job, job.process(SMALLER)

    def test_is_recorded_in_place_of_the_one_that_is_gone(self, parts: Parts) -> None:
        job, request = self.retried(parts, after=False)

        parts.persist(None, request)

        assert job.row().print_file == request.print_file
        assert whole(parts, job.row())
        assert files(parts, ".platen") == []

    def test_is_of_no_use_where_the_first_one_still_waits(self, parts: Parts) -> None:
        job, request = self.retried(parts, after=False, is_lost=False)

        design = parts.persist(None, request).response.design

        assert design.print_file != request.print_file
        assert whole(parts, job.row())
        assert (files(parts), files(parts, ".platen")) == (["UV_001.png"], [])

    def test_is_of_no_use_once_the_first_one_is_filed(self, parts: Parts) -> None:
        job = Job(parts)
        filed = job.run().response.design
        parts.designs.save_template(tenant(SELLER), SMALLER)

        again = parts.persist(None, job.process(SMALLER))

        assert again.response.design == filed
        assert (files(parts), files(parts, ".platen")) == (["UV_001.png"], [])

    def test_is_of_no_use_where_the_first_one_has_its_name_already(self, parts: Parts) -> None:
        job, request = self.retried(parts, after=True)

        parts.persist(None, request)

        assert job.row().print_file != request.print_file
        assert whole(parts, job.row())
        assert (files(parts), files(parts, ".platen")) == (["UV_001.png"], [])


class TestAnotherUploadUnderTheSameId:
    def test_that_was_staged_before_there_was_a_row_is_refused_and_its_file_removed(
        self, parts: Parts
    ) -> None:
        first, second = Job(parts, 1), Job(parts, 2)
        second.design_id = first.design_id
        requests = [first.process(), second.process()]
        parts.persist(None, requests[0])

        with pytest.raises(KeyReused):
            parts.persist(None, requests[1])

        assert whole(parts, first.row())
        assert files(parts, ".platen") == []

    def test_leaves_what_a_pending_row_waits_for(self, parts: Parts) -> None:
        """Two uploads of one picture, saved in two ways, can give the same print file."""
        job = Job(parts)
        request = job.process()
        with pytest.raises(NasUnavailable):
            broken_nas(parts, "publish").persist(None, request)

        with pytest.raises(KeyReused):
            parts.persist(None, request.model_copy(update={"upload_sha256": "0" * 64}))

        assert files(parts, ".platen") == [job.staged().rpartition("/")[2]]


class TestRaces:
    def test_what_is_recorded_meanwhile_is_no_duplicate_of_what_it_was_wanted_beside(
        self, parts: Parts
    ) -> None:
        """Sent twice at once, judged in two ways: none is told of a duplicate of its own."""
        other, job = Job(parts), Job(parts)
        job.source = parts.source("a.jpg", encoded(wrap(1, 600, 274), "JPEG", quality=10))
        request = job.process()
        wanted = request.model_copy(update={"policy": Policy.HASH, "hash_threshold": 0})
        other.run()
        with pytest.raises(DuplicateDesign):
            parts.persist(None, request)
        request = job.process()
        meanwhile = Parts(parts.settings)
        meanwhile._nas, meanwhile._designs = parts.nas, Late(parts, wanted)

        answer = meanwhile.persist(None, request)

        assert not answer.created
        assert whole(parts, job.row())

    def test_of_the_same_request_give_one_design(self, parts: Parts) -> None:
        job = Job(parts)
        request = job.process()

        with ThreadPoolExecutor(8) as racers:
            futures = [racers.submit(parts.persist, None, request) for _ in range(8)]
            answers = [future.result() for future in futures]

        assert sum(answer.created for answer in answers) == 1
        assert {answer.response.design.id for answer in answers} == {job.design_id}
        assert files(parts) == ["UV_001.png"]
        assert whole(parts, job.row())

    def test_of_near_duplicates_leave_one(self, parts: Parts) -> None:
        requests = []
        for quality in range(80, 96, 2):
            job = Job(parts)
            job.source = parts.source("a.jpg", encoded(wrap(1, 600, 274), "JPEG", quality=quality))
            requests.append(job.process())

        def attempt(request: PersistRequest) -> UUID | None:
            try:
                return parts.persist(None, request).response.design.id
            except DuplicateDesign:
                return None

        with ThreadPoolExecutor(8) as racers:
            created = [found for found in racers.map(attempt, requests) if found]

        assert len(created) == 1
        assert len(files(parts)) == 1
        assert files(parts, ".platen") == []
