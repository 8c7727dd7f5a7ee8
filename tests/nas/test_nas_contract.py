"""The contract of `shared.ports.Nas`, held by every store."""

from __future__ import annotations

import hashlib
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from nas_stores import waiting

from shared.errors import NameInvalid, NameTaken, PlatenError, StagedFileMissing
from shared.nas.memory import MemoryNas
from shared.ports import Nas

FOLDER = "NookTransfers/Shop/UVDTF 16oz"
PATH = f"{FOLDER}/UV_001.png"
RACERS = 50
MEGABYTE = 1_000_000


def race(call: Callable[[int], None]) -> list[type[PlatenError] | None]:
    """Call it from 50 threads that start together; what each raised."""
    start = threading.Barrier(RACERS)

    def run(number: int) -> type[PlatenError] | None:
        start.wait()
        try:
            call(number)
        except PlatenError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(RACERS) as threads:
        return list(threads.map(run, range(RACERS)))


def paths(nas: Nas, folder: str) -> list[str]:
    return sorted(entry.path for entry in nas.list(folder))


def body(megabytes: int) -> bytes:
    """Bytes of which no two blocks are alike: an exchanged block would show."""
    return hashlib.shake_128(b"platen").digest(megabytes * MEGABYTE)


def test_a_staged_file_gets_its_final_name_by_publishing(nas: Nas) -> None:
    design_id = uuid4()
    nas.create(waiting(design_id), b"print file")
    assert nas.read(PATH) is None
    nas.publish(waiting(design_id), PATH)
    assert nas.read(PATH) == b"print file"
    assert nas.stat(waiting(design_id)) is None


def test_publishing_replaces_nothing_and_keeps_the_staged_file(nas: Nas) -> None:
    nas.create(PATH, b"stands here")
    design_id = uuid4()
    nas.create(waiting(design_id), b"came later")
    with pytest.raises(NameTaken, match=r"UV_001\.png"):
        nas.publish(waiting(design_id), PATH)
    assert nas.read(PATH) == b"stands here"
    nas.publish(waiting(design_id), f"{FOLDER}/UV_002.png")
    assert nas.read(f"{FOLDER}/UV_002.png") == b"came later"


def test_publishing_what_was_never_staged_is_refused_and_leaves_nothing(nas: Nas) -> None:
    with pytest.raises(StagedFileMissing):
        nas.publish(waiting(uuid4()), PATH)
    assert nas.stat(PATH) is None


def test_publishing_a_second_time_finds_nothing_staged(nas: Nas) -> None:
    design_id = uuid4()
    nas.create(waiting(design_id), b"print file")
    nas.publish(waiting(design_id), PATH)
    for path in (PATH, f"{FOLDER}/UV_002.png"):
        with pytest.raises(StagedFileMissing):
            nas.publish(waiting(design_id), path)
    assert paths(nas, FOLDER) == [PATH]


def test_of_50_that_publish_under_one_name_one_wins_and_the_others_stay_staged(nas: Nas) -> None:
    ids = [UUID(int=number) for number in range(RACERS)]
    for design_id in ids:
        nas.create(waiting(design_id), design_id.bytes)
    outcomes = race(lambda number: nas.publish(waiting(ids[number]), PATH))
    assert outcomes.count(None) == 1
    assert outcomes.count(NameTaken) == RACERS - 1
    winner = ids[outcomes.index(None)]
    assert nas.read(PATH) == winner.bytes
    assert paths(nas, ".platen") == sorted(waiting(loser) for loser in ids if loser != winner)


def test_of_50_that_publish_one_design_under_one_name_one_wins(nas: Nas) -> None:
    design_id = uuid4()
    nas.create(waiting(design_id), b"print file")
    outcomes = race(lambda _: nas.publish(waiting(design_id), PATH))
    assert outcomes.count(None) == 1
    assert set(outcomes) <= {None, NameTaken, StagedFileMissing}
    assert nas.read(PATH) == b"print file"
    assert paths(nas, ".platen") == []


def test_creating_replaces_nothing(nas: Nas) -> None:
    nas.create(PATH, b"stands here")
    with pytest.raises(NameTaken, match=r"UV_001\.png"):
        nas.create(PATH, b"stands here")
    assert nas.read(PATH) == b"stands here"
    assert paths(nas, ".platen") == []


def test_of_50_that_create_one_name_one_wins(nas: Nas) -> None:
    outcomes = race(lambda number: nas.create(PATH, b"%d" % number))
    assert outcomes.count(None) == 1
    assert outcomes.count(NameTaken) == RACERS - 1
    assert nas.read(PATH) == b"%d" % outcomes.index(None)


def test_50_that_create_different_names_all_succeed(nas: Nas) -> None:
    names = [f"{FOLDER}/UV_{number:03}.png" for number in range(RACERS)]
    assert race(lambda number: nas.create(names[number], b"x")) == [None] * RACERS
    assert paths(nas, FOLDER) == names


def test_content_that_can_not_be_read_leaves_nothing(nas: Nas) -> None:
    content = memoryview(b"gone")
    content.release()
    with pytest.raises(ValueError, match="released"):
        nas.create(PATH, content)
    assert paths(nas, FOLDER) == paths(nas, ".platen") == []


def test_content_is_as_it_was_when_it_was_written(nas: Nas) -> None:
    content = bytearray(b"before")
    nas.create(PATH, content)
    content[:] = b"after!"
    assert nas.read(PATH) == b"before"


def test_wider_items_of_a_view_are_written_as_their_bytes(nas: Nas) -> None:
    nas.create(PATH, memoryview(b"12345678").cast("I"))
    assert nas.digest(PATH) == (8, hashlib.sha256(b"12345678").hexdigest())


def test_size_time_and_digest_are_those_of_the_file(nas: Nas) -> None:
    nas.create(PATH, b"print file")
    entry = nas.stat(PATH)
    assert entry is not None
    assert (entry.path, entry.size) == (PATH, 10)
    assert abs(entry.modified - time.time()) < 60
    assert nas.digest(PATH) == (10, hashlib.sha256(b"print file").hexdigest())


def test_an_empty_file_is_a_file(nas: Nas) -> None:
    nas.create(PATH, b"")
    assert nas.read(PATH) == b""
    assert nas.digest(PATH) == (0, hashlib.sha256(b"").hexdigest())


@pytest.mark.parametrize("path", [PATH, f"{PATH}/deeper.png", FOLDER, waiting(UUID(int=0))])
def test_what_is_not_there_is_none_and_deleting_it_is_harmless(nas: Nas, path: str) -> None:
    nas.create(f"{FOLDER}/other.png", b"x")
    assert nas.read(path) is None
    assert nas.stat(path) is None
    assert nas.digest(path) is None
    if path != FOLDER:
        nas.delete(path)
    assert paths(nas, FOLDER) == [f"{FOLDER}/other.png"]


def test_a_file_is_no_folder_of_other_files(nas: Nas) -> None:
    nas.create(PATH, b"x")
    assert nas.read(f"{PATH}/deeper.png") is None
    assert paths(nas, PATH) == []


def test_deleting_removes_one_file_and_frees_its_name(nas: Nas) -> None:
    nas.create(PATH, b"first")
    nas.create(f"{FOLDER}/UV_002.png", b"other")
    nas.delete(PATH)
    assert paths(nas, FOLDER) == [f"{FOLDER}/UV_002.png"]
    nas.create(PATH, b"second")
    assert nas.read(PATH) == b"second"


def test_a_staged_file_can_be_deleted(nas: Nas) -> None:
    design_id = uuid4()
    nas.create(waiting(design_id), b"duplicate")
    nas.delete(waiting(design_id))
    assert paths(nas, ".platen") == []
    nas.create(waiting(design_id), b"other bytes")


def test_a_folder_that_is_not_empty_stays_and_removing_none_is_harmless(nas: Nas) -> None:
    nas.create(PATH, b"x")
    for folder in ("NookTransfers", FOLDER, PATH, f"{PATH}/deeper", "Nobody", "Nobody/UVDTF 16oz"):
        nas.remove_folder(folder)
    assert nas.read(PATH) == b"x"


def test_a_folder_that_was_removed_is_made_again_by_the_next_file(nas: Nas) -> None:
    nas.create(PATH, b"x")
    nas.delete(PATH)
    nas.remove_folder(FOLDER)
    assert paths(nas, FOLDER) == []
    nas.create(PATH, b"y")
    assert nas.read(PATH) == b"y"


def test_a_list_has_the_files_directly_in_a_folder_only(nas: Nas) -> None:
    nas.create(waiting(uuid4()), b"staged")
    nas.create(PATH, b"one")
    nas.create(f"{FOLDER}/UV_002.png", b"three")
    nas.create(f"{FOLDER}/nested/UV_003.png", b"nested")
    nas.create(f"{FOLDER} longer/UV_004.png", b"another folder")
    found = sorted((entry.path, entry.size) for entry in nas.list(FOLDER))
    assert found == [(PATH, 3), (f"{FOLDER}/UV_002.png", 5)]
    assert all(abs(entry.modified - time.time()) < 60 for entry in nas.list(FOLDER))
    assert paths(nas, "NookTransfers") == []


def test_an_unknown_folder_is_empty(nas: Nas) -> None:
    assert paths(nas, "NookTransfers/Nobody/UVDTF 16oz") == []


def test_a_list_longer_than_a_page_is_whole(nas: Nas, long_list: int) -> None:
    names = [f"{FOLDER}/UV_{number:04}.png" for number in range(long_list)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: nas.create(name, b""), names))
    assert paths(nas, FOLDER) == names


@pytest.mark.parametrize(
    "part",
    ["Mom & Me's Gifts (UK)", "a+b, c_d-e.f", "Größe 16oz", "カップ", "Кружка", "%2e%2e", "50% #1"],
)
def test_names_of_any_script_are_kept_as_they_are(nas: Nas, part: str) -> None:
    path = f"NookTransfers/{part}/{part}/{part}.png"
    nas.create(path, b"x")
    design_id = uuid4()
    nas.create(waiting(design_id), b"yz")
    nas.publish(waiting(design_id), f"{path}.png")
    found = sorted((entry.path, entry.size) for entry in nas.list(f"NookTransfers/{part}/{part}"))
    assert found == [(path, 1), (f"{path}.png", 2)]
    assert nas.read(path) == b"x"


OUTSIDE = [
    *["", "/", "/etc/x.png", "../x.png", "Shop/../../x.png", "Shop//x.png", "Shop/./x.png"],
    *["Shop/x.png/", "..\\x.png", "Shop\\x.png", "C:x.png", "Shop/x.png:stream"],
    *["Shop/\0.png", "Shop/\ud800.png"],
]


def test_a_path_that_leads_elsewhere_is_refused_by_every_verb(nas: Nas) -> None:
    nas.create(waiting(UUID(int=0)), b"staged")
    verbs: list[Callable[[str], object]] = [
        lambda path: nas.create(path, b"x"),
        lambda path: nas.publish(waiting(UUID(int=0)), path),
        nas.read,
        nas.stat,
        nas.digest,
        nas.delete,
        nas.remove_folder,
        lambda path: list(nas.list(path)),
        lambda path: list(nas.folders(path or "/")),
    ]
    taken = [(verb, path) for path in OUTSIDE for verb in verbs if not is_refused(verb, path)]
    assert taken == []


def is_refused(verb: Callable[[str], object], path: str) -> bool:
    try:
        verb(path)
    except NameInvalid:
        return True
    return False


def test_64_megabytes_make_the_round_trip_without_copies(nas: Nas) -> None:
    content = body(64)
    expected = hashlib.sha256(content).hexdigest()
    design_id = uuid4()
    kept = len(content) if isinstance(nas, MemoryNas) else 0

    def peak(call: Callable[[], object]) -> int:
        tracemalloc.start()
        try:
            call()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(lambda: nas.create(waiting(design_id), memoryview(content))) < kept + 32 * MEGABYTE
    assert peak(lambda: nas.publish(waiting(design_id), PATH)) < 32 * MEGABYTE
    assert peak(lambda: nas.digest(PATH)) < 32 * MEGABYTE
    assert peak(lambda: nas.read(PATH)) < len(content) + 32 * MEGABYTE
    assert nas.digest(PATH) == (len(content), expected)
    assert hashlib.sha256(nas.read(PATH) or b"").hexdigest() == expected


def test_a_store_that_answers_passes_its_check_and_the_check_leaves_nothing(nas: Nas) -> None:
    nas.check()
    assert paths(nas, ".platen") == []


def test_folders_are_those_directly_in_a_folder_and_no_files(nas: Nas) -> None:
    for path in (PATH, f"{FOLDER} longer/x.png", f"{FOLDER}/nested/deeper/x.png", "Shop/x.png"):
        nas.create(path, b"x")
    nas.create("Mom & Me's Größe/カップ/x.png", b"x")

    assert sorted(nas.folders("NookTransfers/Shop")) == [FOLDER, f"{FOLDER} longer"]
    assert sorted(nas.folders(FOLDER)) == [f"{FOLDER}/nested"]
    assert list(nas.folders("Mom & Me's Größe")) == ["Mom & Me's Größe/カップ"]
    assert list(nas.folders("Shop")) == list(nas.folders("Nobody")) == list(nas.folders(PATH)) == []
    assert set(nas.folders("")) - {".platen"} == {"NookTransfers", "Shop", "Mom & Me's Größe"}
