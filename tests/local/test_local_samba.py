"""``make run NAS=smb``: a Samba server of its own, as long as the functions run."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import httpx
import pytest

from infra.local.samba import samba
from shared.errors import NasLogin
from shared.nas.smb import open_smb
from shared.nas.smb.store import SmbNas
from tests.draw import encoded, wrap
from tests.local.local_runs import Run, left, running

needs_samba = pytest.mark.skipif(
    not shutil.which("smbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"),
    reason="NAS=smb IS NOT TESTED HERE: smbd is not installed (apt-get install samba)",
)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder whose name would mean something to Samba, and is too long for a socket."""
    # Not pytest's folder: its parents are closed to the user that a server of root's runs as.
    top = Path(tempfile.mkdtemp(prefix="platen %u; tests "))
    top.chmod(0o711)
    folder = top / "the shop's own folder" / " ".join(["deep"] * 20)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(top)


def settings(run: Run) -> dict[str, str]:
    """What the run told of its NAS, as a shell would read it."""
    (line,) = (line for line in run.said.splitlines() if "NAS_URL=" in line)
    return dict(word.split("=", 1) for word in shlex.split(line))


@pytest.fixture
def litter() -> Iterator[Path]:
    """A short path for the temporary files of a run that can't tidy up."""
    folder = Path(tempfile.mkdtemp(prefix="smb"))
    yield folder
    shutil.rmtree(folder)


@contextmanager
def share(setting: dict[str, str]) -> Iterator[SmbNas]:
    store = open_smb(setting["NAS_URL"], Path(setting["NAS_PASSWORD_FILE"]).read_text())
    yield store
    store.close()


def server(run: Run) -> int:
    """The process that the run started; its own children serve the connections."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            status = (process / "status").read_text()
            if "Name:\tsmbd\n" in status and f"PPid:\t{run.process.pid}\n" in status:
                return int(process.name)
    raise AssertionError("there is no server")


def upload(run: Run) -> str:
    """What became of a design that was sent over HTTP."""
    answer = httpx.post(
        f"http://127.0.0.1:{run.ports()['upload']}/",
        data={"request": '{"template": "UVDTF 16oz", "shop": "Nook"}'},
        files={"file": ("design.png", encoded(wrap(1, 600, 274)))},
        timeout=60,
    )
    result = json.loads(answer.text.splitlines()[-1])["result"]
    return str(result["outcomes"][0]["outcome"])


@needs_samba
class TestTheServer:
    def test_keeps_its_password_to_its_user_and_from_run_to_run(self, home: Path) -> None:
        passwords = []
        for _ in range(2):
            with samba(home) as (_servers, setting):
                passwords.append(Path(setting["NAS_PASSWORD_FILE"]).read_text())

        assert passwords[0] == passwords[1]
        assert len(passwords[0]) >= 32
        assert stat.S_IMODE((home / "samba/password").stat().st_mode) == 0o600
        assert stat.S_IMODE((home / "samba").stat().st_mode) == 0o700

    def test_does_not_share_a_port_with_another_run_s(self, home: Path) -> None:
        with samba(home / "one") as (_, one), samba(home / "two") as (_, two):
            for setting in (one, two):
                with share(setting) as store:
                    store.check()
            assert one["NAS_URL"] != two["NAS_URL"]

        assert left(home) == []

    def test_leaves_nothing_outside_its_folder(self, home: Path) -> None:
        temporary = Path(tempfile.gettempdir())
        before = set(temporary.glob("platen-smb-*"))
        with samba(home):
            assert len(set(temporary.glob("platen-smb-*")) - before) == 1

        assert set(temporary.glob("platen-smb-*")) <= before


@needs_samba
class TestARun:
    def test_files_designs_through_it_and_ends_with_it(self, home: Path, database_url: str) -> None:
        with running(home, "--nas=smb", DATABASE_URL=database_url) as run:
            run.await_announcement()
            assert upload(run) == "created"
            path = "NookTransfers/Nook/UVDTF 16oz/UV_001.png"
            with share(settings(run)) as store:
                assert store.read(path) == (home / "samba" / "Graphics" / path).read_bytes()
            with pytest.raises(NasLogin):
                open_smb(settings(run)["NAS_URL"], "another").check()
            assert (home / "samba/password").read_text() not in run.said
            assert "smbd" in left(home)

            status = run.end()

        assert status == 128 + signal.SIGINT
        assert left(home) == []
        assert not (home / "nas").exists()

    def test_ends_when_its_server_does(self, home: Path, database_url: str) -> None:
        with running(home, "--nas=smb", DATABASE_URL=database_url) as run:
            run.await_announcement()
            os.kill(server(run), signal.SIGKILL)

            assert run.process.wait(30) == 1
            assert "samba was ended by SIGKILL, so all functions were ended" in run.said
            assert left(home) == []

    def test_leaves_no_server_when_it_is_killed(
        self, home: Path, database_url: str, litter: Path
    ) -> None:
        environment = {"DATABASE_URL": database_url, "TMPDIR": str(litter)}
        with running(home, "--nas=smb", **environment) as run:
            run.await_announcement()
            upload(run)
            run.process.kill()
            run.process.wait()

            deadline = time.monotonic() + 20
            while left(home):
                assert time.monotonic() < deadline, left(home)
                time.sleep(0.1)


class TestWhatCanNotRun:
    def test_without_samba_the_package_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "which", lambda *_args, **_options: None)

        with pytest.raises(click.ClickException, match="apt-get install samba"), samba(tmp_path):
            pass
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("kind", "password", "said"),
        [("smb", "hunter2", "unset NAS_PASSWORD"), ("nfs", "", "'nfs' is not 'smb'")],
    )
    def test_what_contradicts_it_is_told(
        self, home: Path, database_url: str, kind: str, password: str, said: str
    ) -> None:
        environment = {"NAS_PASSWORD": password} if password else {}
        with running(home, f"--nas={kind}", DATABASE_URL=database_url, **environment) as run:
            assert run.process.wait(30) == 2

        assert said in run.said
        assert "hunter2" not in run.said
