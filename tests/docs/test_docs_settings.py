"""The documents list the settings that there are, with the defaults that they have."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import pytest

from shared.settings import Settings
from tests.docs.docs_markdown import ROOT, codes, read, tables


def shown(value: object) -> str:
    """A default as the documents write it; nothing where it is unset."""
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


DEFAULTS = {name.upper(): shown(field.default) for name, field in Settings.model_fields.items()}


def listed() -> list[tuple[str, str]]:
    """The settings of ``.env.example``; every one is a comment, so that copying changes nothing."""
    lines = [line.removeprefix("# ") for line in read(".env.example").splitlines()]
    pairs = [line.partition("=") for line in lines if line.partition("=")[0].isupper()]
    return [(name, value) for name, _, value in pairs]


def test_the_example_lists_exactly_the_settings_with_their_defaults() -> None:
    assert sorted(listed()) == sorted(DEFAULTS.items())


def test_the_example_holds_comments_only() -> None:
    lines = [line for line in read(".env.example").splitlines() if line]

    assert all(line.startswith("#") for line in lines)


def test_what_the_example_lists_can_be_set_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in DEFAULTS:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / ".env"
    file.write_text("\n".join(f"{name}={value}" for name, value in listed() if value))

    assert Settings(_env_file=file) == Settings(_env_file=None)


def test_the_readme_lists_exactly_the_settings_with_their_defaults() -> None:
    rows = tables(read("README.md"), "Setting")

    pairs = [(codes(row["Setting"])[0], "".join(codes(row["Default"]))) for row in rows]
    assert sorted(pairs) == sorted(DEFAULTS.items())


def test_every_setting_of_the_readme_says_what_it_means() -> None:
    assert all(row["Meaning"] for row in tables(read("README.md"), "Setting"))


@pytest.mark.parametrize("name", [name for name in DEFAULTS if "PASSWORD" in name])
def test_secrets_have_no_default(name: str) -> None:
    assert DEFAULTS[name] == ""


def test_every_setting_that_an_error_page_names_is_one() -> None:
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    named = {code.partition("=")[0] for code in codes(text) if code.partition("=")[0].isupper()}

    assert named
    assert named <= set(DEFAULTS)
