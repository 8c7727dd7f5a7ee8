"""``python -m shared.driver rehash``: what it says, writes and ends with, killed or not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from shared import wiring
from shared.driver import show
from shared.driver.__main__ import main
from shared.errors import NasUnavailable
from shared.nas.folder import FolderNas
from shared.wiring import Parts
from tests.draw import encoded, wrap
from tests.legacy import SHOP, file_legacy, rows_of

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def platen(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """The parts that commands find."""
    monkeypatch.setattr(wiring, "parts", lambda: parts)
    return parts


def rehash(*options: str) -> Result:
    return CliRunner().invoke(main, ["rehash", *options])


def file_many(parts: Parts, count: int, width: int = 300) -> None:
    for number in range(count):
        data = encoded(wrap(number, width, width // 2), compress_level=1)
        file_legacy(parts, data, f"UV_{number:03}.png", design_id=UUID(int=number))


def test_it_counts_what_it_did_and_ends_well(platen: Parts) -> None:
    file_many(platen, 3)

    result = rehash()

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Rehashed 3 designs; 0 failed, 0 left.\n"
    assert rows_of(platen).versions() == [2, 2, 2]


def test_a_second_run_changes_nothing_and_says_so(platen: Parts) -> None:
    file_many(platen, 1)
    assert rehash().stdout == "Rehashed 1 design; 0 failed, 0 left.\n"
    before = rows_of(platen).all()

    result = rehash()

    assert result.exit_code == 0
    assert result.stdout == "Rehashed 0 designs; 0 failed, 0 left.\n"
    assert rows_of(platen).all() == before


def test_what_stays_is_named_with_its_reason_and_the_status_is_1(platen: Parts) -> None:
    file_many(platen, 1)
    nowhere = rows_of(platen).add("", design_id=UUID(int=8))
    file_legacy(platen, None, "gone.png", design_id=UUID(int=9))

    result = rehash()

    assert result.exit_code == 1
    assert result.stdout == "Rehashed 1 design; 2 failed, 0 left.\n"
    assert result.stderr.splitlines() == [
        f"can't rehash {nowhere}: The stored path can't be used as a name on the NAS: "
        "it lies outside the share.",
        f"can't rehash {SHOP}/UVDTF 16oz/gone.png: The file can't be read: it is not on the NAS.",
    ]


def test_a_dry_run_says_the_same_and_writes_nothing(platen: Parts) -> None:
    file_many(platen, 2)
    file_legacy(platen, None, "gone.png")
    before = rows_of(platen).all()

    result = rehash("--dry-run")

    assert result.exit_code == 1
    assert result.stdout == "Would rehash 2 designs; 1 failed, 0 left.\n"
    assert "gone.png: The file can't be read" in result.stderr
    assert rows_of(platen).all() == before


def test_one_users_rows_are_named_as_in_uploads(platen: Parts) -> None:
    for seed, user in enumerate(("anna", "bert")):
        file_legacy(platen, encoded(wrap(seed, 300, 137)), f"{user}.png", user=user)

    assert rehash("--user", "anna").stdout == "Rehashed 1 design; 0 failed, 0 left.\n"
    assert sorted(rows_of(platen).versions()) == [1, 2]
    assert rehash("--user", "anna").stdout == "Rehashed 0 designs; 0 failed, 0 left.\n"


def test_a_nas_that_goes_away_is_one_sentence_after_what_was_done(
    platen: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_many(platen, 5)
    read = FolderNas.read

    def cut(self: FolderNas, path: str) -> bytes | None:
        if path.endswith("UV_002.png"):
            raise NasUnavailable
        return read(self, path)

    with monkeypatch.context() as away:
        away.setattr(FolderNas, "read", cut)
        result = rehash()

    assert result.exit_code == 1
    assert result.stdout == "Rehashed 2 designs; 0 failed, 3 left.\n"
    assert "The NAS can't be reached at the moment" in result.stderr
    assert rehash().stdout == "Rehashed 3 designs; 0 failed, 0 left.\n"


def test_a_database_that_is_away_is_one_sentence_and_status_1(
    platen: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = platen.settings.model_copy(
        update={"database_url": "postgresql+pg8000://platen@127.0.0.1:1/platen"}
    )
    monkeypatch.setattr(wiring, "parts", lambda: Parts(settings))

    result = rehash()

    assert (result.exit_code, result.stdout) == (1, "")
    assert "The database can't be reached" in result.stderr


def test_a_run_that_is_killed_leaves_whole_rows_and_the_next_one_does_the_rest(
    parts: Parts,
) -> None:
    count = 25
    file_many(parts, count, width=1600)
    own = parts.settings
    environment = {
        **os.environ,
        "DATABASE_URL": str(own.database_url),
        "PLATEN_HOME": str(own.home),
        "DRIVER_WORKERS": "1",
    }
    command = [sys.executable, "-m", "shared.driver", "rehash"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as killed:  # noqa: S603 - ours
        deadline = time.monotonic() + 60
        while 2 not in rows_of(parts).versions() and time.monotonic() < deadline:
            time.sleep(0.05)
        killed.kill()

    after = rows_of(parts).all()
    done = [row for row in after if row["fingerprint_version"] == 2]
    assert 0 < len(done) < count
    assert all(row["signature"] and row["file_sha256"] for row in done)
    assert not any(row["signature"] or row["file_sha256"] for row in after if row not in done)

    ended = subprocess.run(  # noqa: S603 - ours
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0
    assert ended.stdout == f"Rehashed {count - len(done)} designs; 0 failed, 0 left.\n"
    assert rows_of(parts).versions() == [2] * count


def test_a_terminal_sees_how_far_it_is_and_lines_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    ours, terminal = os.openpty()
    with os.fdopen(terminal, "w", encoding="utf-8") as written, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", written)
        with show.counter(3, "Rehashing") as tell_of:
            tell_of(None)
            tell_of(f"can't rehash [a]{'b' * 90}: gone")
    seen = _all_of(ours).decode()

    assert "Rehashing" in seen
    assert "2/3" in seen
    # The bar before it is wiped, and brackets and long lines stay as they are.
    assert f"\x1b[2Kcan't rehash [a]{'b' * 90}: gone\r\n" in seen


def _all_of(terminal: int) -> bytes:
    """All that was written to a terminal whose other end is closed: one read may give a part."""
    read = b""
    with suppress(OSError):  # what tells the end
        while True:
            read += os.read(terminal, 1 << 16)
    os.close(terminal)
    return read
