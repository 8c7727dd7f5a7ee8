"""`make run`: every function on this machine, until Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.database import embedded
from tests.cli import Cli
from tests.draw import encoded, text, wrap
from tests.local.local_runs import ROOT, Run, left, running

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="there is no /proc to find processes in"
)

TAKEN = 8081
"""The port that dedupe would have."""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder with spaces in its name, and longer than a socket's path may be."""
    # Not pytest's folder: its parents are closed to the user that a server of root's runs as.
    top = Path(tempfile.mkdtemp(prefix="platen tests "))
    top.chmod(0o711)
    folder = top / "the shop's own folder" / " ".join(["deep"] * 20)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(top)


@pytest.fixture(scope="module")
def run(home: Path) -> Iterator[Run]:
    """All functions on the embedded database, where another program has dedupe's port."""
    with ExitStack() as stack:
        with suppress(OSError):  # it is taken indeed
            stack.enter_context(socket.create_server(("127.0.0.1", TAKEN)))
        run = stack.enter_context(running(home))
        run.await_announcement()
        yield run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "design.png").write_bytes(encoded(wrap(1)))
    return tmp_path


def sh(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as it was printed, in the checkout, but with the design of ``folder``."""
    own = line.replace("design.png", f"'{folder}/design.png'")
    return subprocess.run(  # noqa: S602
        own, shell=True, cwd=ROOT, capture_output=True, text=True, check=False
    )


class TestTheAnnouncement:
    def test_names_every_function_with_the_address_it_answers_at(self, run: Run) -> None:
        assert list(run.ports()) == ["upload", "dedupe", "process", "persist"]
        for name, port in run.ports().items():
            document = httpx.get(f"http://127.0.0.1:{port}/openapi.json").json()
            assert name in document["info"]["title"].lower()

    def test_says_that_a_taken_port_was_passed_over(self, run: Run) -> None:
        assert TAKEN not in run.ports().values()
        assert f"{TAKEN}" in next(line for line in run.said.splitlines() if "Taken" in line)

    @pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
    def test_has_a_curl_line_that_files_a_design(self, run: Run, folder: Path) -> None:
        (folder / "design.png").write_bytes(encoded(text("sent by curl")))

        ended = sh(run.line("curl"), folder)

        assert ended.returncode == 0, ended.stderr
        *_, last = map(json.loads, ended.stdout.splitlines())
        assert last["result"]["summary"]["created"] == 1

    def test_has_a_command_that_works_over_these_functions(self, run: Run, folder: Path) -> None:
        ended = sh(run.line("shared.driver"), folder)

        assert ended.returncode == 0, ended.stderr
        assert "Filed as UV_" in ended.stdout


class TestTheCommandLineOverHttp:
    def test_answers_what_it_answers_in_process(self, run: Run, home: Path, folder: Path) -> None:
        over_http = upload(folder, "--http", "--user=twice", **urls(run))
        in_process = upload(folder, "--user=twice", DATABASE_URL=served(home))

        (created,), (duplicate,) = over_http["outcomes"], in_process["outcomes"]
        assert (created["outcome"], duplicate["outcome"]) == ("created", "duplicate")
        assert duplicate["match"]["design_id"] == created["design_id"]
        assert duplicate["match"]["file_path"] == created["file_path"]
        assert created.keys() == duplicate.keys()

    @pytest.mark.parametrize("function", ["dedupe", "process", "persist"])
    def test_names_the_function_that_is_away(self, run: Run, folder: Path, function: str) -> None:
        nobody = {f"{function.upper()}_URL": "http://127.0.0.1:1"}

        result = upload(folder, f"--user={function}", "--http", **urls(run) | nobody)

        (outcome,) = result["outcomes"]
        assert (outcome["outcome"], outcome["code"]) == ("failed", "function_unavailable")
        assert outcome["retryable"]
        assert f"'{function}'" in outcome["reason"]
        assert result["status"] == 1

    def test_asks_no_proxy_for_functions_of_this_machine(self, run: Run, folder: Path) -> None:
        proxy = {"HTTP_PROXY": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}

        result = upload(folder, "--user=proxy", "--http", **urls(run) | proxy)

        assert result["status"] == 0


class TestASecondRun:
    @needs_proc
    def test_shares_the_database_and_leaves_it_to_the_first(
        self, run: Run, home: Path, folder: Path
    ) -> None:
        first = upload(folder, "--user=both", "--http", **urls(run))
        with running(home / "second", PLATEN_HOME=str(home)) as second:
            second.await_announcement()
            assert not set(second.ports().values()) & set(run.ports().values())
            again = upload(folder, "--user=both", "--http", **urls(second))
            status = second.end(signal.SIGTERM)

        assert status == 128 + signal.SIGTERM
        assert outcomes(first) == ["created"]
        assert outcomes(again) == ["duplicate"]
        assert httpx.get(f"{urls(run)['DEDUPE_URL']}/readyz").is_success


@needs_proc
class TestTheEnd:
    def test_leaves_no_process_and_tells_the_signal(self, home: Path) -> None:
        own = home / "interrupted"
        with running(own) as run:
            run.await_announcement()
            assert "postgres" in left(own)

            status = run.end(signal.SIGINT)

        assert status == 128 + signal.SIGINT
        assert left(own) == []
        assert "Traceback" not in run.said

    def test_may_come_before_the_functions_are_up(self, home: Path) -> None:
        own = home / "early"
        with running(own) as run:
            while not left(own / "postgres"):
                time.sleep(0.05)

            status = run.end()

        assert status == 128 + signal.SIGINT
        # A server that was being made ends by itself, a while later on a busy machine.
        deadline = time.monotonic() + 30
        while left(own) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left(own) == []
        assert "running" not in run.said

    def test_follows_when_the_one_who_started_them_is_killed(
        self, home: Path, database_url: str
    ) -> None:
        own = home / "killed"
        with running(own, DATABASE_URL=database_url) as run:
            run.await_announcement()
            assert left(own)

            run.process.kill()
            run.process.wait()

            deadline = time.monotonic() + 10
            while left(own):
                assert time.monotonic() < deadline, left(own)
                time.sleep(0.1)

    def test_of_one_function_ends_all_and_is_told(self, home: Path, database_url: str) -> None:
        own = home / "one"
        with running(own, DATABASE_URL=database_url) as run:
            run.await_announcement()

            os.kill(leader(run, "process"), signal.SIGKILL)

            assert run.process.wait(20) == 1
            assert "process was ended by SIGKILL, so all functions were ended" in run.said
            assert left(own) == []

    def test_of_functions_that_can_not_start_says_why(self, home: Path, database_url: str) -> None:
        own = home / "start"
        with running(own, DATABASE_URL=database_url, WORKERS="none") as run:
            assert run.process.wait(30) == 1

        assert "invalid literal for int() with base 10: 'none'" in run.said
        assert "ended with status 1, so all functions were ended" in run.said
        assert "running" not in run.said
        assert left(own) == []


class TestWhatCanNotRun:
    def test_settings_are_told_by_their_names(self, home: Path) -> None:
        with running(home / "settings", MAX_FILES="many", HASH_THRESHOLD="300") as run:
            assert run.process.wait(30) == 2

        assert "HASH_THRESHOLD: " in run.said
        assert "MAX_FILES: " in run.said

    def test_a_database_that_is_away_is_one_sentence(self, home: Path) -> None:
        away = "postgresql+pg8000://nobody@127.0.0.1:1/none"
        with running(home / "away", DATABASE_URL=away) as run:
            assert run.process.wait(30) == 1

        assert run.said == (
            "Error: The database can't be reached at the moment; try again."
            " (database_unavailable)\n"
        )

    def test_a_nas_that_is_away_is_told_for_each_function_that_needs_it(
        self, home: Path, database_url: str
    ) -> None:
        away = {"DATABASE_URL": database_url, "NAS_URL": "file:///dev/null/nas"}
        with running(home / "nas", **away) as run:
            run.await_announcement()
            status = run.end(signal.SIGHUP)

        waiting = [
            line.split()[0] for line in run.said.splitlines() if "not ready: The NAS" in line
        ]
        assert waiting == ["upload", "process", "persist"]
        assert status == 128 + signal.SIGHUP


def urls(run: Run) -> dict[str, str]:
    return {f"{name.upper()}_URL": f"http://127.0.0.1:{at}" for name, at in run.ports().items()}


def upload(folder: Path, *options: str, **environment: str) -> dict[str, Any]:
    """The command line's result for the design in ``folder``, and its exit status."""
    design = str(folder / "design.png")
    return Cli().upload("--template=UVDTF 16oz", *options, design, **environment)


def served(home: Path) -> str:
    """The URL of the database that a run keeps in ``home``."""
    with embedded.start(home) as database:
        return database.url


def outcomes(result: dict[str, Any]) -> list[str]:
    return [outcome["outcome"] for outcome in result["outcomes"]]


def leader(run: Run, function: str) -> int:
    """The process that leads a function's workers."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if function.encode() in words and parent == run.process.pid:
                return int(process.name)
    raise AssertionError(run.said)
