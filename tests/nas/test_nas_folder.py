"""What the folder store holds beyond the contract: crashes, links, the disk's errors."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from nas_stores import waiting
from test_nas_contract import FOLDER, PATH, RACERS, paths, race

from shared.errors import (
    NameTaken,
    NasError,
    NasFull,
    NasQuota,
    NasRefused,
    NasUnavailable,
    StagedFileMissing,
)
from shared.nas import disk
from shared.nas.folder import FolderNas


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "nas"


@pytest.fixture
def store(root: Path) -> FolderNas:
    return FolderNas(root)


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_reading_makes_no_folder_and_the_first_write_makes_it(store: FolderNas, root: Path) -> None:
    assert store.read(PATH) is None
    assert list(store.list(FOLDER)) == []
    store.delete(PATH)
    assert not root.exists()
    store.create(PATH, b"x")
    assert files(root) == [PATH]


def test_files_and_folders_get_the_users_ordinary_mode(store: FolderNas, root: Path) -> None:
    before = os.umask(0o027)
    try:
        store.create(PATH, b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((root / PATH).stat().st_mode) == 0o640
    assert stat.S_IMODE((root / FOLDER).stat().st_mode) == 0o750


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_write_that_breaks_half_way_leaves_nothing(
    store: FolderNas, root: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    class Breaking(FileIO):
        def write(self, content: memoryview) -> int:  # type: ignore[override]
            if self.tell():
                raise failure
            return super().write(content[: len(content) // 2])

    monkeypatch.setattr(disk, "FileIO", Breaking)
    for path in (PATH, waiting(uuid4())):
        with pytest.raises((NasFull, KeyboardInterrupt)):
            store.create(path, b"halves")
    assert files(root) == []


def test_a_write_that_is_taken_in_pieces_is_whole(
    store: FolderNas, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Short(FileIO):
        def write(self, content: memoryview) -> int:  # type: ignore[override]
            return super().write(content[:7])

    monkeypatch.setattr(disk, "FileIO", Short)
    store.create(PATH, bytes(range(100)))
    assert store.read(PATH) == bytes(range(100))


KILLED = """
import os, signal, sys
from pathlib import Path
from shared.nas import disk
from shared.nas.folder import FolderNas

def kill(*_): os.kill(os.getpid(), signal.SIGKILL)

setattr(*{"write": (disk.os, "fsync", kill), "link": (disk, "link", kill)}[sys.argv[2]])
FolderNas(Path(sys.argv[1])).create("Shop/UV_001.png", b"x" * 100_000)
"""


@pytest.mark.parametrize("step", ["write", "link"])
def test_a_writer_killed_before_the_name_leaves_only_what_the_sweeper_finds(
    store: FolderNas, root: Path, step: str
) -> None:
    (root / ".platen").mkdir(parents=True)
    (root / "Shop").mkdir()
    # Our own interpreter and program; nothing comes from outside.
    run = subprocess.run([sys.executable, "-c", KILLED, str(root), step], check=False)  # noqa: S603
    assert run.returncode == -signal.SIGKILL
    assert store.stat("Shop/UV_001.png") is None
    left = paths(store, ".platen")
    assert len(left) == 1
    store.delete(left[0])
    assert files(root) == []


def test_a_file_is_flushed_before_its_name_and_the_name_before_success(
    store: FolderNas, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create(f"{FOLDER}/other.png", b"")
    steps: list[str] = []
    fsync, link = os.fsync, os.link

    def noted_fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("flush folder" if is_folder else "flush file")
        fsync(descriptor)

    def noted_link(*args: str, **options: int) -> None:
        steps.append("name")
        link(*args, **options)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "link", noted_link)
    store.create(PATH, b"x")
    assert steps == ["flush file", "name", "flush folder"]
    design_id = uuid4()
    store.create(waiting(design_id), b"x")
    steps.clear()
    store.publish(waiting(design_id), f"{FOLDER}/UV_002.png")
    assert steps == ["name", "flush folder"]


def test_of_50_that_publish_one_design_under_50_names_one_wins(store: FolderNas) -> None:
    design_id = uuid4()
    store.create(waiting(design_id), b"x")
    outcomes = race(lambda number: store.publish(waiting(design_id), f"{FOLDER}/{number}.png"))
    assert outcomes.count(None) == 1
    assert outcomes.count(StagedFileMissing) == RACERS - 1
    assert paths(store, FOLDER) == [f"{FOLDER}/{outcomes.index(None)}.png"]


def test_what_was_named_before_a_crash_but_is_still_staged_is_taken(
    store: FolderNas, root: Path
) -> None:
    design_id = uuid4()
    store.create(waiting(design_id), b"print file")
    store.create(f"{FOLDER}/other.png", b"")
    (root / PATH).hardlink_to(root / waiting(design_id))
    with pytest.raises(NameTaken):
        store.publish(waiting(design_id), PATH)
    assert store.digest(PATH) == store.digest(waiting(design_id))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "another tenant"
    folder.mkdir()
    (folder / "secret.png").write_bytes(b"secret")
    return folder


def test_a_link_to_a_folder_outside_is_never_entered(
    store: FolderNas, root: Path, outside: Path
) -> None:
    (root / "Shop").mkdir(parents=True)
    (root / "Shop" / "door").symlink_to(outside)
    store.create(waiting(UUID(int=0)), b"x")
    verbs: list[Callable[[str], object]] = [
        store.read,
        store.stat,
        store.digest,
        store.delete,
        lambda path: list(store.list(path.rpartition("/")[0])),
        lambda path: store.create(f"{path}.png", b"x"),
        lambda path: store.publish(waiting(UUID(int=0)), f"{path}.png"),
    ]
    for verb in verbs:
        with pytest.raises(NasRefused):
            verb("Shop/door/secret.png")
    assert [path.name for path in outside.iterdir()] == ["secret.png"]


def test_a_link_to_a_file_outside_is_never_read_replaced_or_listed(
    store: FolderNas, root: Path, outside: Path
) -> None:
    (root / "Shop").mkdir(parents=True)
    (root / "Shop" / "x.png").symlink_to(outside / "secret.png")
    for verb in (store.read, store.stat, store.digest):
        with pytest.raises(NasRefused):
            verb("Shop/x.png")
    with pytest.raises(NameTaken):
        store.create("Shop/x.png", b"x")
    assert paths(store, "Shop") == []
    store.delete("Shop/x.png")
    assert (outside / "secret.png").read_bytes() == b"secret"


def test_a_dangling_link_counts_as_a_name_that_is_taken(
    store: FolderNas, root: Path, outside: Path
) -> None:
    (root / "Shop").mkdir(parents=True)
    (root / "Shop" / "x.png").symlink_to(outside / "new.png")
    with pytest.raises(NameTaken):
        store.create("Shop/x.png", b"x")
    assert not (outside / "new.png").exists()


def test_a_staged_file_that_is_a_link_is_not_published(
    store: FolderNas, root: Path, outside: Path
) -> None:
    (root / ".platen").mkdir(parents=True)
    (root / waiting(UUID(int=0))).symlink_to(outside / "secret.png")
    with pytest.raises(NasRefused):
        store.publish(waiting(UUID(int=0)), PATH)
    assert store.stat(PATH) is None


def test_what_is_no_plain_file_is_none_and_holds_nobody(store: FolderNas, root: Path) -> None:
    (root / "Shop" / "folder.png").mkdir(parents=True)
    os.mkfifo(root / "Shop" / "pipe.png")
    for path in ("Shop/folder.png", "Shop/pipe.png"):
        assert store.read(path) is None
        assert store.digest(path) is None
        with pytest.raises(NameTaken):
            store.create(path, b"x")
    assert paths(store, "Shop") == []


def test_a_name_that_is_not_utf_8_is_left_out_of_a_list(store: FolderNas, root: Path) -> None:
    store.create("Shop/x.png", b"x")
    try:
        (root / "Shop" / os.fsdecode(b"\xff.png")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert paths(store, "Shop") == ["Shop/x.png"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, NasFull),
        (errno.EDQUOT, NasQuota),
        (errno.EACCES, NasRefused),
        (errno.EPERM, NasRefused),
        (errno.EROFS, NasRefused),
        (errno.ELOOP, NasRefused),
        (errno.EEXIST, NasRefused),
        (errno.ENOTDIR, NasRefused),
        (errno.EISDIR, NasRefused),
        (errno.ENAMETOOLONG, NasRefused),
        (errno.EIO, NasUnavailable),
        (errno.ESTALE, NasUnavailable),
        (errno.EMFILE, NasUnavailable),
        (errno.ETIMEDOUT, NasUnavailable),
        (None, NasUnavailable),
    ],
)
def test_each_error_of_the_disk_has_its_own_of_ours(
    number: int | None, expected: type[NasError]
) -> None:
    foreign = OSError("no number") if number is None else OSError(number, "text")
    with pytest.raises(expected) as raised, disk.translated():
        raise foreign
    assert type(raised.value) is expected
    assert raised.value.__cause__ is foreign


@pytest.mark.parametrize("verb", ["create", "stage", "publish", "read", "stat", "digest", "list"])
def test_no_verb_lets_a_foreign_error_out(tmp_path: Path, verb: str) -> None:
    (tmp_path / "file").touch()
    store = FolderNas(tmp_path / "file" / "nas")
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: store.create(PATH, b"x"),
        "stage": lambda: store.create(waiting(uuid4()), b"x"),
        "publish": lambda: store.publish(waiting(uuid4()), PATH),
        "read": lambda: store.read(f"{'x' * 300}.png"),
        "stat": lambda: store.stat(f"{'x' * 300}.png"),
        "digest": lambda: store.digest(f"{'x' * 300}.png"),
        "list": lambda: list(store.list("x" * 300)),
    }
    if verb in ("read", "stat", "digest", "list"):
        store = FolderNas(tmp_path)
    with pytest.raises(NasRefused):
        calls[verb]()


def test_a_folder_that_takes_no_files_fails_its_check(tmp_path: Path) -> None:
    (tmp_path / "nas").touch()
    with pytest.raises(NasRefused):
        FolderNas(tmp_path / "nas").check()


def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write anywhere")
    try:
        with pytest.raises(NasRefused):
            FolderNas(tmp_path).check()
        with pytest.raises(NasRefused):
            FolderNas(tmp_path / "nas").create(PATH, b"x")
    finally:
        tmp_path.chmod(0o700)


def test_descriptors_are_given_back(store: FolderNas, root: Path, outside: Path) -> None:
    (root / "Shop").mkdir(parents=True)
    (root / "Shop" / "door").symlink_to(outside)
    store.create(waiting(UUID(int=0)), b"x")

    def everything() -> None:
        store.create(path := f"Shop/{uuid4()}/x.png", b"x")
        assert store.read(path) == b"x"
        assert store.digest(path) is not None
        assert store.read("Shop/nobody/x.png") is store.read("Shop") is None
        next(store.list(path.rpartition("/")[0]))
        for refused in (
            lambda: store.create(path, b"y"),
            lambda: store.publish(waiting(UUID(int=0)), path),
            lambda: store.publish(waiting(uuid4()), "Shop/y.png"),
            lambda: store.read("Shop/door/secret.png"),
        ):
            with pytest.raises((NameTaken, StagedFileMissing, NasRefused)):
                refused()

    everything()
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        everything()
    assert len(list(Path("/dev/fd").iterdir())) == before
