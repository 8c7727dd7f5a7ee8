"""The command ``reconcile``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from shared import wiring
from shared.driver.__main__ import main
from shared.nas.names import staged
from shared.wiring import Parts

FOLDER = "NookTransfers/Nook/Mug"


@pytest.fixture
def platen(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """The parts that commands find."""
    monkeypatch.setattr(wiring, "parts", lambda: parts)
    return parts


def reconcile(*options: str) -> Result:
    return CliRunner().invoke(main, ["reconcile", *options])


def old(parts: Parts, path: str, content: bytes = b"x") -> Path:
    parts.nas.create(path, content)
    file = parts.settings.home / "nas" / path
    os.utime(file, (0, 0))
    return file


def test_where_all_is_in_order_it_ends_well(platen: Parts) -> None:
    platen.nas.create(f"{FOLDER}/UV_001.png", b"younger than the grace period")

    ended = reconcile("--repair", "--verify")

    assert (ended.exit_code, ended.stdout) == (0, "Found 0, repaired 0, 0 left.\n")


def test_what_is_found_is_named_and_left_alone(platen: Parts) -> None:
    path = staged(UUID(int=1), "0" * 64)
    file = old(platen, path)

    ended = reconcile()

    assert ended.exit_code == 1
    assert ended.stdout == (
        f"leftover: /share/Graphics/{path}: Nothing waits for this file.\n"
        "Found 1, repaired 0, 1 left.\n"
    )
    assert file.exists()


def test_repair_ends_well_where_nothing_is_left(platen: Parts) -> None:
    file = old(platen, staged(UUID(int=1), "0" * 64))

    ended = reconcile("--repair")

    assert ended.exit_code == 0
    assert ended.stdout.startswith("repaired leftover: /share/Graphics/.platen/")
    assert ended.stdout.endswith("Found 1, repaired 1, 0 left.\n")
    assert not file.exists()


def test_repair_ends_badly_where_something_is_left(platen: Parts) -> None:
    file = old(platen, f"{FOLDER}/UV_001.png")

    assert reconcile("--repair").exit_code == 1
    assert file.exists()


def test_json_is_an_object_a_line(platen: Parts) -> None:
    old(platen, f"{FOLDER}/Kätzchen.png")

    (line,) = reconcile("--json").stdout.splitlines()

    assert json.loads(line) == {
        "trouble": "unrecorded",
        "file_path": f"/share/Graphics/{FOLDER}/Kätzchen.png",
        "design_id": None,
        "user_id": None,
        "message": "No row has this file; look at it, then file or remove it by hand.",
        "repaired": False,
    }


def test_another_grace_period_may_be_given(platen: Parts) -> None:
    file = old(platen, f"{FOLDER}/UV_001.png")
    modified = platen.settings.home / "nas" / "clock"
    modified.write_bytes(b"")
    os.utime(file, (modified.stat().st_mtime - 1800,) * 2)

    assert [reconcile("--grace", hours).exit_code for hours in ("0.6", "0.4")] == [0, 1]
    assert reconcile("--grace", "0").exit_code == 2
