"""sweep on every store: what a store leaves goes, nothing else does."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import pytest
from nas_stores import waiting
from smb_site import PATH, Site, body

from shared.database.designs import PostgresDesigns
from shared.errors import NasError
from shared.flows.sweep import sweep
from shared.nas.names import staged
from shared.ports import Nas
from tests.database.database_rows import a_design
from tests.proxy import CutAfter, Fault

HOUR = 3600.0
ALL_AGES = -60.0
"""A grace period within which not even a file that is written now lies."""


def swept(designs: PostgresDesigns, nas: Nas, grace_s: float = ALL_AGES) -> list[str]:
    told = list(sweep(designs, nas, grace_s))
    assert [found for found in told if found.error] == []
    return sorted(found.entry.path for found in told)


def paths(nas: Nas, folder: str = ".platen") -> list[str]:
    return sorted(entry.path for entry in nas.list(folder))


def test_old_files_of_ours_that_no_pending_row_needs_go_and_no_others(
    designs: PostgresDesigns, nas: Nas
) -> None:
    needed, orphan = a_design(), uuid4()
    with designs.unit(needed.user_id) as unit:
        unit.claim(needed.shop)
        unit.insert(needed)
    assert needed.print_file is not None
    kept = staged(needed.design_id, needed.print_file.sha256)
    nas.create(kept, b"needed")
    old = [waiting(needed.design_id), waiting(orphan), f".platen/{needed.design_id}.part"]
    temporary = [f".platen/{uuid4().hex}.{end}" for end in ("tmp", "trial")]
    others = [".platen/readme.txt", f".platen/{uuid4().hex}.part", f".platen/{uuid4()}.tmp"]
    filed = [f"Shop/UVDTF 16oz/{orphan}.part", f"{orphan}.part", f".platen/old/{orphan}.part"]
    for path in (*old, *temporary, *others, *filed):
        nas.create(path, b"x")

    assert swept(designs, nas) == sorted([*temporary, *old])
    assert paths(nas) == sorted([*others, kept])
    assert [nas.read(path) for path in filed] == [b"x"] * 3


def test_young_files_stay(designs: PostgresDesigns, nas: Nas) -> None:
    design_id = uuid4()
    nas.create(waiting(design_id), b"on its way")

    assert swept(designs, nas, HOUR) == []
    assert paths(nas) == [waiting(design_id)]


def test_an_empty_store_is_left_as_it_is(designs: PostgresDesigns, nas: Nas) -> None:
    assert swept(designs, nas) == []
    assert paths(nas) == []


@pytest.mark.parametrize("empty_store", ["s3"], indirect=True)
def test_what_a_trial_of_an_s3_bucket_left_goes(
    designs: PostgresDesigns, empty_store: Callable[[], Nas], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = empty_store()
    with monkeypatch.context() as crash:
        bucket = store._bucket  # type: ignore[attr-defined]
        crash.setattr(bucket, "delete", lambda _key: None)
        crash.setattr(bucket, "_is_trusted", False)
        store.check()
    (left,) = paths(store)

    assert left.endswith(".trial")
    assert swept(designs, store) == [left]
    assert paths(store) == []


class TestSmb:
    def test_what_a_killed_server_left_of_a_write_goes(
        self, designs: PostgresDesigns, smb: Site
    ) -> None:
        def restart() -> None:
            smb.server.kill()
            smb.server.start()

        store = smb.open()
        smb.proxy.strike(lambda: CutAfter(2 << 20, Fault.RESET, before=restart), times=1)
        with suppress(NasError):
            store.create(PATH, body(4))
        (left,) = paths(store)

        assert left.endswith(".tmp")
        assert swept(designs, store, HOUR) == []
        os.utime(smb.folder / left, (0, 0))
        assert swept(designs, store, HOUR) == [left]
        assert smb.leftovers() == []

    def test_where_the_server_follows_links_a_print_file_behind_one_stays(
        self, designs: PostgresDesigns, smb: Site
    ) -> None:
        store = smb.open()
        store.create(PATH, b"print file")
        link = smb.folder / waiting(uuid4())
        link.symlink_to(smb.folder / PATH)

        swept(designs, store)

        assert store.read(PATH) == b"print file"
