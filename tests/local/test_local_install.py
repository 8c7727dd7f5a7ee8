"""The virtual environment that the Makefile's verbs run in."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from infra import install as module
from infra.install import VERSION, install

ROOT = Path(__file__).resolve().parents[2]
INSTALL = """
import sys
from pathlib import Path
from infra.install import install
install(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.txt"
    file.write_text("# nothing, so that no network is needed\n")
    return file


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    return tmp_path / "home" / "with spaces" / "venv"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of venv and pip were called, which then do nothing but make a folder."""
    called: list[str] = []

    def note(*command: str | Path) -> None:
        called.append(next(name for name in ("venv", "pip") if name in command))
        if called[-1] == "venv":
            Path(command[-1]).mkdir(exist_ok=True)

    monkeypatch.setattr(module, "_run", note)
    return called


def has_python(venv: Path, script: str) -> None:
    python = venv / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)


@pytest.mark.skipif(
    importlib.util.find_spec("ensurepip") is None, reason="python3-venv is not installed"
)
def test_is_made_once_however_many_ask_for_it_at_once(venv: Path, requirements: Path) -> None:
    asking = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", INSTALL, venv, requirements],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]

    said = [one.communicate()[0] for one in asking]

    assert [one.returncode for one in asking] == [0, 0, 0]
    assert sorted(said) == ["", "", f"Installing what requirements.txt names into {venv} ...\n"]
    has_pip = [venv / "bin" / "python", "-m", "pip", "--version"]
    assert subprocess.run(has_pip, stdout=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603


def test_is_left_alone_while_nothing_changes(
    venv: Path, requirements: Path, commands: list[str]
) -> None:
    install(venv, requirements)
    install(venv, requirements)

    assert commands == ["venv", "pip"]


def test_is_brought_up_to_date_when_the_requirements_change(
    venv: Path, requirements: Path, commands: list[str]
) -> None:
    install(venv, requirements)
    commands.clear()
    requirements.write_text("click==8.5.1\n")
    has_python(venv, f"echo {VERSION}")

    install(venv, requirements)

    assert "pip" in commands


def test_is_gone_on_with_when_it_was_left_half_made(
    venv: Path, requirements: Path, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "_run", broken)
        with pytest.raises(subprocess.CalledProcessError):
            install(venv, requirements)

    install(venv, requirements)

    assert commands == ["venv", "pip"]


def broken(*command: str | Path) -> None:
    raise subprocess.CalledProcessError(1, [str(word) for word in command])


def test_of_another_python_is_neither_used_nor_removed(
    venv: Path, requirements: Path, commands: list[str]
) -> None:
    has_python(venv, "echo 3.9")

    with pytest.raises(ValueError, match=r"is of Python 3\.9: remove it, or name another"):
        install(venv, requirements)

    assert commands == []
    assert (venv / "bin" / "python").exists()


def test_whose_python_is_gone_is_told_to_be_broken(
    venv: Path, requirements: Path, commands: list[str]
) -> None:
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to("/nowhere/python3")

    with pytest.raises(ValueError, match="is broken: remove it"):
        install(venv, requirements)

    assert commands == []
