from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest
from nas_stores import LONG_LIST, STORES, StoreAbsent
from samba import ENCRYPTED, Samba, SambaAbsent, samba
from smb_site import Site, site

from shared.ports import Nas


@pytest.fixture(scope="session", params=sorted(STORES))
def empty_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Nas]]:
    """Opens an empty store of one kind at each call."""
    try:
        with STORES[request.param](tmp_path_factory.mktemp(request.param)) as empty:
            yield empty
    except StoreAbsent as absent:
        not_tested(request.param, absent)


@pytest.fixture
def nas(empty_store: Callable[[], Nas]) -> Nas:
    return empty_store()


@pytest.fixture
def long_list(request: pytest.FixtureRequest) -> int:
    """How many entries take more than one page to list."""
    return LONG_LIST.get(request.node.callspec.params["empty_store"], 1_010)


@pytest.fixture(scope="session")
def serve_smb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Samba]]:
    """Starts a Samba server with such options in its configuration; it ends with the tests."""
    with ExitStack() as servers:

        def serve(options: str) -> Samba:
            try:
                return servers.enter_context(samba(tmp_path_factory.mktemp("share"), options))
            except SambaAbsent as absent:
                not_tested("smb", absent)

        yield serve


@pytest.fixture(scope="session")
def smb_server(serve_smb: Callable[[str], Samba]) -> Samba:
    """A server that demands encryption. Tests that stop it start it again."""
    return serve_smb(ENCRYPTED)


@pytest.fixture
def smb(smb_server: Samba) -> Iterator[Site]:
    """An empty folder of the server behind a proxy that passes everything on."""
    with site(smb_server) as place:
        yield place


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or not mount or not umount:
        pytest.skip("NOT TESTED HERE: only root can make a small disk")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], check=False)  # noqa: S603
    if made.returncode:
        pytest.skip("NOT TESTED HERE: this machine lets nobody make a small disk")
    yield folder
    subprocess.run([umount, "--lazy", folder], check=True)  # noqa: S603


def not_tested(store: str, absent: Exception) -> NoReturn:
    """Skip, loudly; fail where everything is meant to be there."""
    reason = f"THE {store.upper()} STORE IS NOT TESTED HERE: {absent}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
