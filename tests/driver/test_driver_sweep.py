"""``python -m shared.driver sweep``: what it removes, says and ends with."""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from shared import wiring
from shared.driver.__main__ import main
from shared.nas.names import staged
from shared.wiring import Parts


@pytest.fixture
def platen(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """The parts that commands find."""
    monkeypatch.setattr(wiring, "parts", lambda: parts)
    return parts


def sweep(*options: str) -> Result:
    return CliRunner().invoke(main, ["sweep", *options])


def orphan(parts: Parts, number: int, hours: float) -> Path:
    path = staged(UUID(int=number), "0" * 64)
    parts.nas.create(path, b"x" * 1000)
    file = parts.settings.home / "nas" / path
    then = time.time() - hours * 3600
    os.utime(file, (then, then))
    return file


def test_it_names_what_it_removed_and_ends_well(platen: Parts) -> None:
    old, young = orphan(platen, 1, 1.5), orphan(platen, 2, 0.5)

    result = sweep()

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"removed .platen/{old.name} (1,000 bytes)",
        "Removed 1 file, 1,000 bytes.",
    ]
    assert not old.exists()
    assert young.exists()


def test_the_grace_period_can_be_given_in_hours(platen: Parts) -> None:
    first, second = orphan(platen, 1, 1.5), orphan(platen, 2, 2.5)

    assert "Removed 1 file" in sweep("--grace", "2").stdout
    assert first.exists()
    assert not second.exists()
    assert "Removed 1 file" in sweep("--grace", "0.1").stdout
    assert not first.exists()


def test_a_dry_run_says_the_same_and_removes_nothing(platen: Parts) -> None:
    files = [orphan(platen, number, 2) for number in range(2)]

    result = sweep("--dry-run")

    assert result.exit_code == 0
    assert result.stdout.endswith("Would remove 2 files, 2,000 bytes.\n")
    assert all(file.exists() for file in files)


def test_what_can_t_be_removed_is_told_and_the_status_is_1(
    platen: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = orphan(platen, 1, 2)
    unlink = os.unlink

    def refused(name: str, **options: int) -> None:
        if name == file.name:
            raise PermissionError(13, "Permission denied")
        unlink(name, **options)

    monkeypatch.setattr(os, "unlink", refused)
    result = sweep()

    assert result.exit_code == 1
    assert result.stdout == "Removed 0 files, 0 bytes.\n"
    assert result.stderr == (
        f"can't remove .platen/{file.name}: "
        "The NAS refuses this; check the account and its rights.\n"
    )


def test_a_database_that_is_away_is_one_sentence_and_status_1(
    platen: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Parts(
        platen.settings.model_copy(
            update={"database_url": "postgresql+pg8000://platen@127.0.0.1:1/platen"}
        )
    )
    monkeypatch.setattr(wiring, "parts", lambda: away)
    file = orphan(platen, 1, 2)

    result = sweep()

    assert result.exit_code == 1
    assert "The database can't be reached" in result.stderr
    assert file.exists()


@pytest.mark.parametrize("hours", ["0", "-1", "soon"])
def test_a_grace_period_that_would_take_files_from_uploads_is_refused(
    platen: Parts, hours: str
) -> None:
    file = orphan(platen, 1, 2)

    assert sweep(f"--grace={hours}").exit_code == 2
    assert file.exists()
