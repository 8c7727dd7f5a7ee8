from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from shared.nas.open import open_nas
from shared.ports import Nas
from shared.settings import Settings, SettingsInvalid


def opened(url: str | None, home: Path = Path("/nowhere")) -> Nas:
    return open_nas(Settings(nas_url=url, platen_home=home, _env_file=None))


def test_unset_the_nas_is_a_folder_of_the_home(tmp_path: Path) -> None:
    opened(None, tmp_path).create("Shop/x.png", b"x")
    assert (tmp_path / "nas" / "Shop" / "x.png").read_bytes() == b"x"


@pytest.mark.parametrize("host", ["", "localhost"])
def test_a_folder_may_have_any_name_that_a_url_can_write(tmp_path: Path, host: str) -> None:
    folder = tmp_path / "a folder with 100% + é?#"
    url = f"file://{host}{folder.as_uri().removeprefix('file://')}"
    opened(url).create("Shop/x.png", b"x")
    assert (folder / "Shop" / "x.png").read_bytes() == b"x"


def test_plain_spaces_in_a_folder_s_address_are_taken_as_they_are(tmp_path: Path) -> None:
    opened(f"file://{tmp_path}/two words").create("x.png", b"x")
    assert (tmp_path / "two words" / "x.png").read_bytes() == b"x"


def test_a_memory_store_is_one_for_the_process() -> None:
    url = f"memory://{uuid4()}"
    opened(url).create("x.png", b"x")
    assert opened(url).read("x.png") == b"x"


@pytest.mark.parametrize(
    ("url", "module", "kind"),
    [
        ("s3://bucket?endpoint=http://127.0.0.1:9", "shared.nas.s3", "S3Nas"),
        ("smb://nobody@127.0.0.1:9/Graphics", "shared.nas.smb.store", "SmbNas"),
    ],
)
def test_other_addresses_open_their_stores_without_asking_them(
    url: str, module: str, kind: str
) -> None:
    assert type(opened(url)) is getattr(importlib.import_module(module), kind)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nas",
        "/folder",
        "ftp://host/folder",
        "https://host/folder",
        "file://",
        "file:folder",
        "file://host/folder",
        "file:///folder?x=1",
        "file:///folder#1",
    ],
)
def test_an_address_of_no_store_is_refused_by_the_name_of_the_setting(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="NAS_URL"):
        opened(url)


def test_a_folder_needs_no_other_store_s_driver(tmp_path: Path) -> None:
    program = (
        "import sys; from shared.nas.open import open_nas; from shared.settings import Settings\n"
        "open_nas(Settings(platen_home=sys.argv[1], _env_file=None)).create('x.png', b'x')\n"
        "print({'boto3', 'botocore', 'smbprotocol', 'cv2', 'sqlalchemy'} & set(sys.modules))"
    )
    # Our own interpreter and program; nothing comes from outside.
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, check=True, text=True
    )
    assert run.stdout == "set()\n"
