from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from nas_stores import LONG_LIST, STORES, StoreAbsent

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
        reason = f"THE {request.param.upper()} STORE IS NOT TESTED HERE: {absent}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def nas(empty_store: Callable[[], Nas]) -> Nas:
    return empty_store()


@pytest.fixture
def long_list(request: pytest.FixtureRequest) -> int:
    """How many entries take more than one page to list."""
    return LONG_LIST.get(request.node.callspec.params["empty_store"], 1_010)
