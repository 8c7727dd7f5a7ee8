"""process stages on every store: equal bytes are one file, other bytes another one."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from shared.flows.process import write
from shared.nas.names import staged
from shared.ports import Nas
from shared.records import PrintFile

DESIGN = UUID(int=1)


def stage(nas: Nas, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    file = PrintFile(sha256=sha256, size=len(content), width_px=1, height_px=1, dpi=400)
    write(nas, DESIGN, None, content, file)
    return staged(DESIGN, sha256)


def paths(nas: Nas) -> list[str]:
    return sorted(entry.path for entry in nas.list(".platen"))


def test_equal_bytes_again_are_the_same_file_however_many_stage_them(nas: Nas) -> None:
    with ThreadPoolExecutor(16) as threads:
        names = set(threads.map(lambda _: stage(nas, b"same"), range(16)))

    assert paths(nas) == sorted(names) == [stage(nas, b"same")]
    assert nas.read(*names) == b"same"


def test_other_bytes_of_one_design_are_another_file_and_each_keeps_its_own(nas: Nas) -> None:
    with ThreadPoolExecutor(16) as threads:
        names = list(threads.map(lambda number: stage(nas, b"%d" % number), range(16)))

    assert paths(nas) == sorted(names)
    assert [nas.read(name) for name in names] == [b"%d" % number for number in range(16)]
