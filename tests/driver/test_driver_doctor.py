"""``python -m shared.driver doctor``: what it prints, ends with, and never shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared import wiring
from shared.driver.__main__ import main
from shared.settings import Settings, settings

SECRET = "hunter2"  # noqa: S105 - of nobody


@pytest.fixture
def doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> Iterator[Callable[..., Result]]:
    """Runs the command as a process of its own would find it, with these settings."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*options: str, **environment: str) -> Result:
        for name, value in ({"DATABASE_URL": database_url} | environment).items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        wiring.own_parts.cache_clear()
        result = CliRunner().invoke(main, ["doctor", *options])
        if wiring.own_parts.cache_info().currsize:
            wiring.parts().close()
        assert SECRET not in result.output
        return result

    yield run
    settings.cache_clear()
    wiring.own_parts.cache_clear()


def test_one_line_a_check_and_status_0_when_all_is_right(doctor: Callable[..., Result]) -> None:
    result = doctor()

    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ok"] * 7


def test_json_tells_the_same(doctor: Callable[..., Result]) -> None:
    told = json.loads(doctor("--json").stdout)

    assert told["ok"] is True
    assert [check["check"] for check in told["checks"]] == [
        *["settings", "database", "database rights"],
        *["nas", "nas write", "nas rename", "nas delete"],
    ]


def test_what_is_wrong_is_one_line_and_status_1(doctor: Callable[..., Result]) -> None:
    result = doctor(
        DATABASE_URL=f"postgresql://platen:{SECRET}@127.0.0.1:1/platen",
        NAS_URL="smb://anna@127.0.0.1:1/Graphics",
        NAS_PASSWORD=SECRET,
        NAS_TIMEOUT_S="1",
    )

    assert result.exit_code == 1
    assert [line.split(maxsplit=2)[:2] for line in result.stdout.splitlines()] == [
        ["ok", "settings"],
        ["WRONG", "database"],
        ["WRONG", "nas"],
    ]


def test_a_wrong_setting_is_told_as_a_check(doctor: Callable[..., Result]) -> None:
    result = doctor(HASH_THRESHOLD="99", MAX_FILES=SECRET)

    assert result.exit_code == 1
    assert "HASH_THRESHOLD: Input should be less than or equal to 31" in result.stdout
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NAS_URL", f"smb://anna:{SECRET}@nas/Graphics"),
        ("NAS_URL", f"ftp://anna:{SECRET}@nas/Graphics"),
        ("DATABASE_URL", f"postgresql://anna:{SECRET}@db:port/platen"),
        ("DATABASE_URL", f"mysql://anna:{SECRET}@db/platen"),
    ],
)
def test_an_address_that_can_t_be_used_is_told_by_its_setting_s_name(
    doctor: Callable[..., Result], name: str, value: str
) -> None:
    result = doctor(**{name: value})

    assert result.exit_code == 1
    assert name in result.stdout


def test_a_password_file_that_can_t_be_read_is_told(
    doctor: Callable[..., Result], tmp_path: Path
) -> None:
    result = doctor(
        NAS_URL="smb://anna@127.0.0.1:1/Graphics", NAS_PASSWORD_FILE=str(tmp_path / SECRET)
    )

    assert result.exit_code == 1
    assert "NAS_PASSWORD_FILE: FileNotFoundError" in result.stdout
