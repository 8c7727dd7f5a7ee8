"""reconcile: each thing that is not in order is told of, what can be is put right, nothing else."""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
import sqlalchemy as sa
from test_flows_persist import FOLDER, SELLER, Faulty, Job, broken_nas, files, whole
from test_flows_sweep import HOUR, aged, on_disk, orphan

from shared.database.designs import PostgresDesigns
from shared.errors import DatabaseUnavailable, NasBusy, NasLogin, NasUnavailable
from shared.flows import reconcile as module
from shared.flows.reconcile import reconcile
from shared.identity import tenant
from shared.messages import Discrepancy, Trouble
from shared.records import Design, Filing
from shared.wiring import Parts

FIRST = f"{FOLDER}/UV_001.png"


def run(parts: Parts, *, repair: bool = False, verify: bool = False) -> list[Discrepancy]:
    """What a run with a grace period of an hour finds."""
    return list(
        reconcile(parts.designs, parts.nas, parts.places, HOUR, repair=repair, verify=verify)
    )


def troubles(found: list[Discrepancy]) -> list[tuple[Trouble, bool]]:
    return [(each.trouble, each.repaired) for each in found]


def execute(parts: Parts, statement: str) -> None:
    """Change the rows past the adapter."""
    designs = parts.designs
    assert isinstance(designs, PostgresDesigns)
    with designs._engine.connect() as connection:
        connection.execute(sa.text(statement))


def age_rows(parts: Parts) -> None:
    execute(parts, "UPDATE design_images SET created_at = created_at - interval '2 hours'")


def broken_off(parts: Parts, seed: int = 1, *, after: bool = False, **request: object) -> Job:
    """An upload that ended two hours ago, before or after its file got its name."""
    job = Job(parts, seed, **request)
    with pytest.raises(NasUnavailable):
        broken_nas(parts, "publish", after=after).persist(None, job.process())
    age_rows(parts)
    if not after:
        aged(parts, job.staged())
    return job


def is_silent_again(parts: Parts) -> bool:
    return run(parts, repair=True, verify=True) == [] == run(parts, verify=True)


class TestNothingIsFound:
    def test_where_nothing_is(self, parts: Parts) -> None:
        assert run(parts, repair=True) == []
        assert not on_disk(parts, ".platen").exists()

    def test_of_designs_that_are_filed(self, parts: Parts) -> None:
        jobs = [Job(parts, 1), Job(parts, 2, digital=True), Job(parts, 3, template="DTF Youth")]
        for job in jobs:
            job.run()
        age_rows(parts)

        assert is_silent_again(parts)
        assert all(whole(parts, job.row()) for job in jobs)

    def test_of_uploads_on_their_way(self, parts: Parts) -> None:
        staged, pending, published = Job(parts, 1), Job(parts, 2), Job(parts, 3)
        staged.process()
        for job, after in ((pending, False), (published, True)):
            with pytest.raises(NasUnavailable):
                broken_nas(parts, "publish", after=after).persist(None, job.process())
        parts.nas.create(f"{FOLDER}/UV_900.png", b"published by process alone just now")

        assert run(parts, repair=True) == []
        for job in (staged, pending, published):
            job.run()
            assert whole(parts, job.row())

    def test_of_what_the_seller_removed(self, parts: Parts) -> None:
        Job(parts).run()
        execute(parts, "UPDATE design_images SET is_active = false")
        aged(parts, FIRST)

        assert run(parts, verify=True) == []

    @pytest.mark.parametrize("path", ["Else/Shop/a.png", f"{FOLDER}/notes.txt", ".platen/a.png"])
    def test_of_files_that_are_none_of_ours(self, parts: Parts, path: str) -> None:
        parts.nas.create(path, b"somebody else's")
        aged(parts, path)

        assert run(parts, repair=True) == []
        assert parts.nas.read(path) == b"somebody else's"


class TestAnUploadThatBrokeOff:
    @pytest.mark.parametrize("after", [False, True])
    def test_is_told_of_and_left_alone_without_repair(self, parts: Parts, after: bool) -> None:
        job = broken_off(parts, after=after)
        before = job.row()

        (found,) = run(parts)

        assert (found.trouble, found.repaired) == (Trouble.PENDING, False)
        assert (found.design_id, found.user_id) == (job.design_id, tenant(SELLER))
        assert job.row() == before

    @pytest.mark.parametrize("after", [False, True])
    def test_is_finished_whoever_s_it_is(self, parts: Parts, after: bool) -> None:
        job = broken_off(parts, after=after)
        other = broken_off(parts, 2, user_id="other", shop="Other")

        assert troubles(run(parts, repair=True)) == [(Trouble.PENDING, True)] * 2
        assert whole(parts, job.row())
        assert whole(parts, parts.designs.get(tenant("other"), other.design_id))
        assert is_silent_again(parts)

    def test_is_forgotten_where_its_file_is_nowhere(self, parts: Parts) -> None:
        job = broken_off(parts)
        parts.nas.delete(job.staged())

        (found,) = run(parts, repair=True)

        assert (found.repaired, "removed" in found.message) == (True, True)
        assert job.row() is None
        assert is_silent_again(parts)
        assert whole(parts, job.run() and job.row())

    def test_takes_the_next_number_where_another_file_has_its_name(self, parts: Parts) -> None:
        job = broken_off(parts)
        parts.nas.create(FIRST, b"somebody else's")

        assert troubles(run(parts, repair=True)) == [(Trouble.PENDING, True)]
        assert whole(parts, job.row())
        assert parts.nas.read(FIRST) == b"somebody else's"

    def test_whose_file_is_in_use_is_told_of_and_the_others_are_finished(
        self, parts: Parts
    ) -> None:
        jobs = [broken_off(parts, seed) for seed in (1, 2)]
        busy = Faulty(parts.nas, "publish", NasBusy())

        found = list(
            reconcile(parts.designs, busy, parts.places, HOUR, repair=True)  # type: ignore[arg-type]
        )

        assert sorted(each.repaired for each in found) == [False, True]
        assert sorted(job.row().state for job in jobs) == ["active", "pending"]  # type: ignore[union-attr]
        assert troubles(run(parts, repair=True)) == [(Trouble.PENDING, True)]

    @pytest.mark.parametrize("before", [False, True])
    def test_and_is_sent_again_meanwhile_is_filed_once(self, parts: Parts, before: bool) -> None:
        """The client comes back just as its row is to be finished."""
        job = broken_off(parts)

        class Meanwhile:
            def __getattr__(self, name: str) -> object:
                return getattr(parts.designs, name)

            def get(self, user: UUID, design_id: UUID) -> Design | None:
                if before:
                    job.run()
                design = parts.designs.get(user, design_id)
                job.run()
                return design

        found = list(reconcile(Meanwhile(), parts.nas, parts.places, HOUR, repair=True))  # type: ignore[arg-type]

        assert len(found) == (0 if before else 1)
        assert whole(parts, job.row())
        assert files(parts) == ["UV_001.png"]
        assert is_silent_again(parts)


class TestADesignWhoseFile:
    def filed(self, parts: Parts) -> Job:
        job = Job(parts)
        job.run()
        return job

    def test_is_missing_is_told_of_and_stays_recorded(self, parts: Parts) -> None:
        job = self.filed(parts)
        parts.nas.delete(FIRST)
        before = job.row()

        for repair in (False, True, True):
            (found,) = run(parts, repair=repair)
            assert (found.trouble, found.repaired) == (Trouble.MISSING, False)
        assert found.file_path == parts.places.stored(FIRST)
        assert job.row() == before

    @pytest.mark.parametrize(
        ("content", "plain", "verified"),
        [(b"short", Trouble.SIZE, Trouble.SIZE), (None, None, Trouble.CONTENT)],
    )
    def test_was_changed_is_told_of_and_stays_as_it_is(
        self, parts: Parts, content: bytes | None, plain: Trouble | None, verified: Trouble
    ) -> None:
        self.filed(parts)
        changed = content or bytes(parts.nas.stat(FIRST).size)  # type: ignore[union-attr]
        parts.nas.delete(FIRST)
        parts.nas.create(FIRST, changed)

        assert [each.trouble for each in run(parts, repair=True)] == ([plain] if plain else [])
        assert troubles(run(parts, repair=True, verify=True)) == [(verified, False)]
        assert parts.nas.read(FIRST) == changed

    @pytest.mark.parametrize("path", ["/elsewhere/UV_001.png", ""])
    def test_lies_outside_the_share_is_told_of(self, parts: Parts, path: str) -> None:
        self.filed(parts)
        execute(parts, f"UPDATE design_images SET file_path = '{path}'")  # noqa: S608 - the test's own

        assert troubles(run(parts)) == [(Trouble.UNREAD, False)]

    def test_is_in_use_is_told_of(self, parts: Parts) -> None:
        self.filed(parts)
        busy = Faulty(parts.nas, "stat", NasBusy())

        (found,) = reconcile(parts.designs, busy, parts.places, HOUR)  # type: ignore[arg-type]

        assert found.trouble is Trouble.UNREAD

    def test_was_removed_with_its_row_meanwhile_is_not_told_of(self, parts: Parts) -> None:
        self.filed(parts)

        class Meanwhile:
            def __getattr__(self, name: str) -> object:
                return getattr(parts.designs, name)

            def filings(self, *args: float, **options: object) -> list[Filing]:
                page = parts.designs.filings(*args, **options)  # type: ignore[arg-type]
                execute(parts, "UPDATE design_images SET is_active = false")
                parts.nas.delete(FIRST)
                return page

        assert list(reconcile(Meanwhile(), parts.nas, parts.places, HOUR)) == []  # type: ignore[arg-type]


class TestAFileWithoutARow:
    @pytest.mark.parametrize(
        "path",
        [
            f"{FOLDER}/UV_007.png",
            "NookTransfers/Nook/Digital/UVDTF 16oz/Digital_001.png",
            "NookTransfers/Nobody/Mug/x.png",
        ],
    )
    def test_is_told_of_and_never_touched(self, parts: Parts, path: str) -> None:
        Job(parts).run()
        parts.nas.create(path, b"only bytes")
        assert run(parts, repair=True) == []
        aged(parts, path)

        for repair in (False, True, True):
            (found,) = run(parts, repair=repair)
            assert (found.trouble, found.repaired) == (Trouble.UNRECORDED, False)
        assert found.file_path == parts.places.stored(path)
        assert parts.nas.read(path) == b"only bytes"

    def test_is_told_from_one_of_a_row_that_spells_it_otherwise(self, parts: Parts) -> None:
        Job(parts).run()
        aged(parts, FIRST)
        execute(
            parts, "UPDATE design_images SET fingerprint_version = 1, file_path = upper(file_path)"
        )

        assert Trouble.UNRECORDED not in [each.trouble for each in run(parts)]

    def test_is_asked_for_after_its_folder_was_listed(self, parts: Parts) -> None:
        """A file that is listed had its row before it had its name."""
        parts.nas.create(f"{FOLDER}/UV_900.png", b"x")
        aged(parts, f"{FOLDER}/UV_900.png")
        asked: list[list[str]] = []

        class Watched:
            def __getattr__(self, name: str) -> object:
                return getattr(parts.designs, name)

            def recorded(self, paths: Collection[str]) -> set[str]:
                asked.append(sorted(paths))
                return set(paths)

        assert list(reconcile(Watched(), parts.nas, parts.places, HOUR)) == []  # type: ignore[arg-type]
        assert asked == [[parts.places.stored(f"{FOLDER}/UV_900.png")]]


class TestLeftovers:
    def test_are_told_of_and_removed_by_repair(self, parts: Parts) -> None:
        path = orphan(parts)

        assert troubles(run(parts)) == [(Trouble.LEFTOVER, False)]
        (found,) = run(parts, repair=True)
        assert (found.file_path, found.repaired) == (parts.places.stored(path), True)
        assert is_silent_again(parts)
        assert files(parts, ".platen") == []


class TestARun:
    def test_goes_on_over_pages(self, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "PAGE", 2)
        jobs = [broken_off(parts, seed) for seed in range(5)]
        for number in range(900, 905):
            parts.nas.create(f"{FOLDER}/UV_{number}.png", b"x")
            aged(parts, f"{FOLDER}/UV_{number}.png")

        found = troubles(run(parts, repair=True))

        assert sorted(found) == [(Trouble.PENDING, True)] * 5 + [(Trouble.UNRECORDED, False)] * 5
        assert all(whole(parts, job.row()) for job in jobs)

    @pytest.mark.parametrize("error", [NasUnavailable(), NasLogin()])
    def test_ends_where_the_nas_is_away(self, parts: Parts, error: Exception) -> None:
        Job(parts).run()
        away = Faulty(parts.nas, "stat", error)

        with pytest.raises(type(error)):
            list(reconcile(parts.designs, away, parts.places, HOUR))  # type: ignore[arg-type]

    def test_ends_where_the_database_is_away(self, parts: Parts) -> None:
        away = Faulty(parts.designs, "filings", DatabaseUnavailable())

        with pytest.raises(DatabaseUnavailable):
            list(reconcile(away, parts.nas, parts.places, HOUR))  # type: ignore[arg-type]

    def test_beside_uploads_touches_nothing_of_theirs(self, parts: Parts) -> None:
        over = threading.Event()

        def go_on() -> list[Discrepancy]:
            found: list[Discrepancy] = []
            while not over.is_set():
                found += run(parts, repair=True, verify=True)
            return found

        jobs = [Job(parts, seed) for seed in range(12)]
        with ThreadPoolExecutor(5) as threads:
            reconciler = threads.submit(go_on)
            uploads = [threads.submit(job.run) for job in jobs]
            try:
                answers = [upload.result() for upload in uploads]
            finally:
                over.set()
            found = reconciler.result()

        assert found == []
        assert all(answer.created for answer in answers)
        assert all(whole(parts, job.row()) for job in jobs)
        assert len(files(parts)) == len(jobs)
