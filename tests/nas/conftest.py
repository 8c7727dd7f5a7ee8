from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NoReturn

import hypothesis
import pytest
from nas_stores import LONG_LIST, STORES, StoreAbsent
from samba import Samba, SambaAbsent, samba
from smb_site import Site, site

from shared.ports import Nas

# Examples kept in the checkout could not be written by another user of it, which is a warning.
hypothesis.settings.register_profile("nothing kept", database=None)
hypothesis.settings.load_profile("nothing kept")


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
def smb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    """A Samba server for all tests of one run; those that stop it start it again."""
    try:
        with samba(tmp_path_factory.mktemp("share")) as server:
            yield server
    except SambaAbsent as absent:
        not_tested("smb", absent)


@pytest.fixture
def smb(smb_server: Samba) -> Iterator[Site]:
    """An empty folder of the server behind a proxy that passes everything on."""
    with site(smb_server) as place:
        yield place


def not_tested(store: str, absent: Exception) -> NoReturn:
    """Skip, loudly; fail where everything is meant to be there."""
    reason = f"THE {store.upper()} STORE IS NOT TESTED HERE: {absent}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
