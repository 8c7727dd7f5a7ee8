"""An upload through ``smb://`` and one through ``file://``: nobody can tell them apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from samba import PASSWORD
from smb_site import Site

from shared.database import migrate
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.flows.sweep import sweep
from shared.messages import Done, Result, UploadRequest
from shared.settings import Settings
from shared.wiring import Parts
from tests.draw import encoded, text, wrap
from tests.proxy import CutAfter, Fault

FOLDER = "NookTransfers/Nook/UVDTF 16oz"


@contextmanager
def parts(database_url: str, nas_url: str, **own: Any) -> Iterator[Parts]:
    """The adapters of a process of its own."""
    settings = Settings(database_url=database_url, nas_url=nas_url, _env_file=None, **own)
    made = Parts(settings)
    yield made
    made.close()


@contextmanager
def through_smb(database_url: str, smb: Site) -> Iterator[Parts]:
    """Files lie in the site's folder, and all connections go through its proxy."""
    url = f"{smb.server.url_at(smb.proxy.port)}/{smb.folder.name}"
    with parts(database_url, url, nas_password=PASSWORD, nas_timeout_s=15) as made:
        yield made


def take_in(parts: Parts, *files: tuple[str, bytes], **request: object) -> Result:
    asked = UploadRequest.model_validate(
        {"template": "UVDTF 16oz", "user_id": "seller", "shop": "Nook", "idempotency_key": "once"}
        | request
    )
    sources = [parts.source(name, data) for name, data in files]
    return upload(sources, asked, InProcess(parts), parts.settings, parts.executor, parts.workers)


def answer(result: Result) -> Any:
    """All that was answered, times apart."""
    return _timeless(result.model_dump(mode="json"))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        told = {key: _timeless(item) for key, item in value.items()}
        return {key: item for key, item in told.items() if not key.endswith(("_ms", "_at"))}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def rows(database_url: str) -> list[dict[str, Any]]:
    """The designs as the database has them, times apart."""
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT * FROM design_images ORDER BY sequence"))
        told = [_timeless(dict(row._mapping)) for row in found]
    engine.dispose()
    return told


def files(folder: Path) -> dict[str, str]:
    """The sha256 of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


class TestAnUpload:
    def test_gives_the_same_bytes_rows_and_answers_as_through_a_folder(
        self, smb: Site, tmp_path: Path, database_url: str, empty_database_url: str
    ) -> None:
        migrate.upgrade(empty_database_url)
        design = wrap(1, 600, 274)
        batches: list[tuple[list[tuple[str, bytes]], dict[str, object]]] = [
            ([("a.png", encoded(design)), ("b.png", encoded(text("Mom"))), ("c.txt", b"-")], {}),
            ([("a again.png", encoded(design))], {"idempotency_key": "twice"}),
            ([("d.png", encoded(wrap(2, 300, 200)))], {"digital": True, "idempotency_key": "d"}),
            ([("a.png", encoded(design)), ("b.png", encoded(text("Mom"))), ("c.txt", b"-")], {}),
        ]
        with (
            parts(empty_database_url, tmp_path.as_uri()) as folder,
            through_smb(database_url, smb) as share,
        ):
            for uploads, request in batches:
                plain = take_in(folder, *uploads, **request)
                assert answer(take_in(share, *uploads, **request)) == answer(plain)

        assert rows(database_url) == rows(empty_database_url)
        assert files(smb.folder) == files(tmp_path)
        assert sorted(files(smb.folder)) == [
            "NookTransfers/Nook/Digital/UVDTF 16oz/Digital_001.png",
            f"{FOLDER}/UV_001.png",
            f"{FOLDER}/UV_002.png",
        ]
        assert [row["file_path"] for row in rows(database_url)] == [
            f"/share/Graphics/{FOLDER}/UV_001.png",
            f"/share/Graphics/{FOLDER}/UV_002.png",
            "/share/Graphics/NookTransfers/Nook/Digital/UVDTF 16oz/Digital_001.png",
        ]
        assert [row["file_sha256"] for row in rows(database_url)] == [
            files(smb.folder)[row["file_path"].removeprefix("/share/Graphics/")]
            for row in rows(database_url)
        ]


@pytest.fixture
def restart(smb: Site) -> Iterator[Callable[[], None]]:
    """Kills the server and all that serves its connections, and starts it anew."""

    def act() -> None:
        smb.server.kill()
        smb.server.start()

    yield act
    act()


@pytest.fixture
def design() -> tuple[str, bytes]:
    """An upload whose print file is much larger than what passes before the cut."""
    return "design.png", encoded(wrap(3, 1200, 548))


class TestAServerThatIsKilledInMidWrite:
    def test_and_restarted_takes_this_upload_and_the_next(
        self,
        smb: Site,
        database_url: str,
        restart: Callable[[], None],
        design: tuple[str, bytes],
    ) -> None:
        smb.proxy.strike(lambda: CutAfter(1 << 20, Fault.RESET, before=restart), times=1)
        with through_smb(database_url, smb) as parts:
            first = take_in(parts, design)
            second = take_in(parts, ("b.png", encoded(wrap(4, 600, 274))), idempotency_key="next")
            assert smb.proxy.connections > 1
            list(sweep(parts.designs, parts.nas, -60))

        assert [outcome.outcome for outcome in first.outcomes + second.outcomes] == [
            Done.CREATED,
            Done.CREATED,
        ]
        assert files(smb.folder) == {
            f"{FOLDER}/{row['filename']}": row["file_sha256"] for row in rows(database_url)
        }
        assert len(rows(database_url)) == 2

    def test_and_stays_away_refuses_this_upload_and_takes_it_when_it_is_back(
        self,
        smb: Site,
        database_url: str,
        restart: Callable[[], None],
        design: tuple[str, bytes],
    ) -> None:
        smb.proxy.strike(lambda: CutAfter(1 << 20, Fault.RESET, before=smb.server.kill), times=1)
        with through_smb(database_url, smb) as parts:
            (refused,) = take_in(parts, design).outcomes
            assert (refused.outcome, refused.code) == (Done.FAILED, "nas_unavailable")
            assert refused.retryable
            assert f"{FOLDER}/UV_001.png" not in files(smb.folder)

            restart()
            (created,) = take_in(parts, design).outcomes
            list(sweep(parts.designs, parts.nas, -60))

        assert created.outcome is Done.CREATED
        (row,) = rows(database_url)
        assert files(smb.folder) == {f"{FOLDER}/UV_001.png": row["file_sha256"]}
        assert row["state"] == "active"
