from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from samba import PASSWORD

from shared.nas.smb import open_smb
from shared.nas.smb.address import Address
from shared.settings import Settings, SettingsInvalid


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NAS_PASSWORD", "NAS_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)


URLS = {
    "smb://seller@nas/Graphics": Address("nas", 445, "Graphics", (), "seller"),
    "smb://seller@nas:1445/Graphics/": Address("nas", 1445, "Graphics", (), "seller"),
    "smb://seller@10.0.0.7/Graphics/a/b%20c": Address(
        "10.0.0.7", 445, "Graphics", ("a", "b c"), "seller"
    ),
    "smb://WORK%5Cseller@[::1]:445/Gr%C3%B6%C3%9Fe": Address(
        "::1", 445, "Größe", (), "WORK\\seller"
    ),
}


@pytest.mark.parametrize("url", URLS)
def test_a_url_says_where_the_share_is_and_who_opens_it(url: str) -> None:
    assert Address.of(url) == URLS[url]


@pytest.mark.parametrize(
    "url",
    [
        "smb://",
        "smb://nas/Graphics",
        "smb://seller@nas",
        "smb://seller@nas/",
        "smb://seller@/Graphics",
        "smb://seller@nas:port/Graphics",
        "smb://seller@nas/Graphics/../Other",
        "smb://seller@nas/Graphics/a%5Cb",
        "smb://seller@nas/Graphics?a=b",
        "smb://seller@nas/Graphics#a",
    ],
)
def test_a_url_that_says_less_or_more_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="NAS_URL"):
        open_smb(url, "x")


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        open_smb("smb://seller:hunter2@nas/Graphics", None)
    assert "hunter2" not in str(refused.value)


def test_a_password_comes_from_the_setting_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f" {PASSWORD} \n")
    assert Settings(_env_file=None).nas_secret() is None
    assert Settings(_env_file=None, nas_password=PASSWORD).nas_secret() == PASSWORD
    assert Settings(_env_file=None, nas_password_file=file).nas_secret() == f" {PASSWORD} "


def test_a_password_is_not_shown_with_the_settings() -> None:
    assert PASSWORD not in repr(Settings(_env_file=None, nas_password=PASSWORD))


def test_two_passwords_or_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="not both"):
        Settings(_env_file=None, nas_password=PASSWORD, nas_password_file=tmp_path)
    with pytest.raises(SettingsInvalid, match="NAS_PASSWORD_FILE"):
        Settings(_env_file=None, nas_password_file=tmp_path / "missing").nas_secret()
