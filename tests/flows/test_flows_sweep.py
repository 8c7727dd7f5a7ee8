"""sweep: what is of no use goes, what may be needed stays, whatever runs at the same time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from test_flows_persist import FOLDER, SELLER, Job, broken_nas, files, whole

from shared.errors import DatabaseUnavailable, NasBusy, NasUnavailable, StagedFileMissing
from shared.flows import sweep as sweep_module
from shared.flows.sweep import sweep
from shared.identity import tenant
from shared.nas.names import staged
from shared.ports import Nas
from shared.records import Entry, State
from shared.wiring import Parts

HOUR = 3600.0


def on_disk(parts: Parts, path: str) -> Path:
    return parts.settings.home / "nas" / path


def aged(parts: Parts, path: str, hours: float = 2) -> str:
    """Make a file look as if it was written so many hours ago."""
    then = time.time() - hours * HOUR
    os.utime(on_disk(parts, path), (then, then))
    return path


def orphan(parts: Parts, hours: float = 2) -> str:
    """The path of a staged file that no row knows of."""
    design_id = uuid4()
    path = staged(design_id, "0" * 64)
    parts.nas.create(path, b"print file")
    return aged(parts, path, hours)


def swept(parts: Parts, **adapters: object) -> list[str]:
    """The paths of what a sweep with a grace of an hour removed."""
    ports: dict[str, object] = {"designs": parts.designs, "nas": parts.nas} | adapters
    return [found.entry.path for found in sweep(ports["designs"], ports["nas"], HOUR)]  # type: ignore[arg-type]


def cut_off(*_args: object, **_options: object) -> None:
    raise OSError


class Meanwhile:
    """The database, and what others do right after it was asked."""

    def __init__(self, parts: Parts, act: Callable[[], object]) -> None:
        self._designs = parts.designs
        self._act = act

    def pending(self, design_ids: Collection[UUID]) -> dict[UUID, str]:
        answer = self._designs.pending(design_ids)
        self._act()
        return answer


class Changed:
    """A NAS that does some verbs in another way."""

    def __init__(self, nas: Nas, **verbs: Callable[..., object]) -> None:
        self._nas = nas
        self._verbs = verbs

    def __getattr__(self, verb: str) -> Callable[..., object]:
        return self._verbs.get(verb) or getattr(self._nas, verb)


class TestWhatGoes:
    def test_an_old_staged_file_without_a_row_is_removed_and_told_of(self, parts: Parts) -> None:
        path = orphan(parts)

        (told,) = sweep(parts.designs, parts.nas, HOUR)

        assert (told.entry.path, told.entry.size, told.error) == (path, 10, None)
        assert files(parts, ".platen") == []

    def test_an_old_copy_of_a_filed_design_goes_and_its_print_file_stays(
        self, parts: Parts
    ) -> None:
        job = Job(parts)
        persisted = job.run()
        path = parts.places.relative(persisted.response.design.file_path)
        parts.nas.create(job.staged(), parts.nas.read(path) or b"")
        path = aged(parts, job.staged())

        assert swept(parts) == [path]
        assert whole(parts, job.row())
        assert files(parts) == [persisted.response.design.filename]

    def test_what_a_killed_write_left_of_the_folder_store_goes(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as killed:
            killed.setattr(os, "unlink", cut_off)
            parts.nas.create("Shop/x.png", b"x")
        (left,) = files(parts, ".platen")

        assert swept(parts) == []
        path = aged(parts, f".platen/{left}")
        assert swept(parts) == [path]
        assert parts.nas.read("Shop/x.png") == b"x"

    def test_more_files_than_are_asked_about_at_once_all_go(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sweep_module, "BATCH", 2)
        old = sorted(orphan(parts) for _ in range(5))

        assert sorted(swept(parts)) == old
        assert files(parts, ".platen") == []

    def test_a_file_that_is_in_use_is_told_of_and_the_others_go(self, parts: Parts) -> None:
        held, *others = [orphan(parts) for _ in range(3)]

        def delete(path: str) -> None:
            if path == held:
                raise NasBusy
            parts.nas.delete(path)

        told = list(sweep(parts.designs, Changed(parts.nas, delete=delete), HOUR))  # type: ignore[arg-type]

        assert [found.entry.path for found in told if found.error] == [held]
        assert sorted(found.entry.path for found in told if not found.error) == sorted(others)
        assert files(parts, ".platen") == [held.rpartition("/")[2]]


class TestWhatStays:
    def test_a_file_younger_than_the_grace_period(self, parts: Parts) -> None:
        orphan(parts, hours=0.9)

        assert swept(parts) == []
        assert len(files(parts, ".platen")) == 1

    def test_the_file_of_a_pending_row_of_any_tenant(self, parts: Parts) -> None:
        jobs = {SELLER: Job(parts, 1), "other": Job(parts, 2, user_id="other", shop="Other")}
        for job in jobs.values():
            with pytest.raises(NasUnavailable):
                broken_nas(parts, "publish").persist(None, job.process())
            aged(parts, job.staged())

        assert swept(parts) == []
        for user, job in jobs.items():
            job.run()
            assert whole(parts, parts.designs.get(tenant(user), job.design_id))

    @pytest.mark.parametrize(
        "name",
        [
            "notes.txt",
            "A4F0C5BE-6A57-4E0E-8A3C-0DF3F8AE9F00.part",
            "a4f0c5be-6a57-4e0e-8a3c-0df3f8ae9f00.part.png",
            "a4f0c5be-6a57-4e0e-8a3c-0df3f8ae9f00.png",
            "a4f0c5be6a574e0e8a3c0df3f8ae9f00.part",
            "a4f0c5be6a574e0e8a3c0df3f8ae9f00.tmp~",
            "draft.tmp",
            "kept/a4f0c5be-6a57-4e0e-8a3c-0df3f8ae9f00.part",
            "../a4f0c5be-6a57-4e0e-8a3c-0df3f8ae9f00.part",
            "../Shop/.platen/a4f0c5be-6a57-4e0e-8a3c-0df3f8ae9f00.part",
        ],
    )
    def test_a_file_of_another_name_or_place(self, parts: Parts, name: str) -> None:
        file = on_disk(parts, f".platen/{name}")
        on_disk(parts, ".platen").mkdir(parents=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"somebody else's")
        os.utime(file, (0, 0))

        assert swept(parts) == []
        assert file.read_bytes() == b"somebody else's"

    def test_links_and_folders_that_are_named_as_ours(self, parts: Parts) -> None:
        parts.nas.create("Shop/UV_001.png", b"a print file")
        aged(parts, "Shop/UV_001.png")
        link, folder = (on_disk(parts, staged(uuid4(), "0" * 64)) for _ in range(2))
        link.symlink_to(on_disk(parts, "Shop/UV_001.png"))
        os.utime(link, (0, 0), follow_symlinks=False)
        folder.mkdir()
        os.utime(folder, (0, 0))

        assert swept(parts) == []
        assert link.is_symlink()
        assert folder.is_dir()
        assert parts.nas.read("Shop/UV_001.png") == b"a print file"

    def test_everything_in_a_dry_run_which_tells_the_same(self, parts: Parts) -> None:
        path = orphan(parts)

        told = list(sweep(parts.designs, parts.nas, HOUR, dry_run=True))

        assert [found.entry.path for found in told] == [path]
        assert files(parts, ".platen") == [path.rpartition("/")[2]]

    def test_everything_where_the_database_is_away(self, parts: Parts) -> None:
        orphan(parts)

        def away() -> None:
            raise DatabaseUnavailable

        with pytest.raises(DatabaseUnavailable):
            swept(parts, designs=Meanwhile(parts, away))
        assert len(files(parts, ".platen")) == 1

    def test_nothing_is_written_where_nothing_is_staged(self, parts: Parts) -> None:
        assert swept(parts) == []
        assert not on_disk(parts, ".platen").exists()


class TestTheNasClock:
    @pytest.mark.parametrize("hours", [-30, 30])
    def test_decides_what_is_old_however_far_it_is_from_ours(
        self, parts: Parts, hours: int
    ) -> None:
        def shifted(entry: Entry) -> Entry:
            return Entry(entry.path, entry.size, entry.modified + hours * HOUR)

        def list_(folder: str) -> Iterator[Entry]:
            return map(shifted, parts.nas.list(folder))

        def stat(path: str) -> Entry | None:
            entry = parts.nas.stat(path)
            return entry and shifted(entry)

        young, old = orphan(parts, hours=0.5), orphan(parts, hours=1.5)

        assert swept(parts, nas=Changed(parts.nas, list=list_, stat=stat)) == [old]
        assert files(parts, ".platen") == [young.rpartition("/")[2]]


class TestMeanwhile:
    def test_a_file_that_was_taken_away_and_staged_anew_stays(self, parts: Parts) -> None:
        path = orphan(parts)

        def staged_anew() -> None:
            parts.nas.delete(path)
            parts.nas.create(path, b"another print file")

        assert swept(parts, designs=Meanwhile(parts, staged_anew)) == []
        assert parts.nas.read(path) == b"another print file"

    def test_an_upload_that_is_finished_after_the_question_is_whole(self, parts: Parts) -> None:
        job = Job(parts)
        request = job.process()
        aged(parts, job.staged())

        finish = Meanwhile(parts, lambda: parts.persist(None, request))

        assert swept(parts, designs=finish) == []
        assert whole(parts, job.row())

    def test_an_upload_whose_file_goes_under_it_is_told_to_process_again_and_is_whole_then(
        self, parts: Parts
    ) -> None:
        job = Job(parts)
        request = job.process()
        aged(parts, job.staged())

        def inserted_but_not_renamed() -> None:
            with pytest.raises(NasUnavailable):
                broken_nas(parts, "publish").persist(None, request)

        late = Meanwhile(parts, inserted_but_not_renamed)

        assert swept(parts, designs=late) == [job.staged()]
        assert job.row().state is State.PENDING  # type: ignore[union-attr]
        with pytest.raises(StagedFileMissing) as told:
            parts.persist(None, request)
        assert told.value.retryable
        job.run()
        assert whole(parts, job.row())

    def test_sweeps_without_any_grace_lose_no_file_of_an_active_row(self, parts: Parts) -> None:
        over = threading.Event()

        def sweep_on() -> int:
            count = 0
            # A breath between sweeps, or no upload would ever get through on a slow machine.
            while not over.wait(0.2):
                count += len(list(sweep(parts.designs, parts.nas, -60)))
            return count

        def upload(job: Job) -> None:
            for _ in range(50):
                try:
                    job.run()
                except (StagedFileMissing, NasUnavailable):
                    continue
                return
            pytest.fail("50 attempts were swept away")

        jobs = [Job(parts, seed) for seed in range(6)]
        with ThreadPoolExecutor(4) as threads:
            sweeper = threads.submit(sweep_on)
            uploads = [threads.submit(upload, job) for job in jobs]
            try:
                for uploaded in uploads:
                    uploaded.result()
            finally:
                over.set()
            sweeper.result()

        assert all(whole(parts, job.row()) for job in jobs)
        assert files(parts, ".platen") == []
        assert len(files(parts, FOLDER)) == len(jobs)
