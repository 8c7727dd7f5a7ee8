"""The command line as scripts and people call it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli import Cli
from tests.draw import encoded, marked, wrap

BEFORE_THE_CLOCK = """
import os, sys
from pathlib import Path
from shared.driver.__main__ import main
from shared.driver.commands import upload

def run_upload(*_arguments, **_options):
    assert {"cv2", "pg8000", "scipy.fftpack", "pywt"} <= sys.modules.keys()
    assert Path(os.environ["PLATEN_HOME"], "postgres", "data", "postmaster.pid").exists()
    sys.exit(77)

upload.run_upload = run_upload
main()
"""
"""Stops the command where its clock would start."""

ROOT = Path(__file__).resolve().parents[2]
UPLOAD = ("upload", "--template=UVDTF 16oz")
COMMAND = (sys.executable, "-m", "shared.driver")

OUTCOME = {
    "file",
    "outcome",
    "verdict",
    "code",
    "reason",
    "design_id",
    "filename",
    "file_path",
    "match",
    "timings_ms",
}
SUMMARY = {"uploaded", "duplicates", "created", "held", "failed", "elapsed_ms"}


@pytest.fixture
def cli(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Over a fresh database and a folder as NAS."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PLATEN_HOME", str(tmp_path / "home"))
    return Cli()


@pytest.fixture
def art(tmp_path: Path) -> Callable[..., str]:
    """Draws a design into a file: its path."""

    def drawn(seed: int, name: str = "") -> str:
        file = tmp_path / (name or f"{seed}.png")
        file.write_bytes(encoded(wrap(seed)))
        return str(file)

    return drawn


@pytest.fixture
def home() -> Iterator[Path]:
    """A fresh PLATEN_HOME for an embedded database."""
    # Not pytest's folder: its parents are closed to the user that a server of root's runs as.
    folder = Path(tempfile.mkdtemp(prefix="platen-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def outcomes(result: dict[str, Any]) -> list[str]:
    return [outcome["outcome"] for outcome in result["outcomes"]]


class TestTheResultAsJson:
    def test_is_one_object_with_an_outcome_for_each_file_in_order(
        self, cli: Cli, art: Callable[..., str], tmp_path: Path
    ) -> None:
        files = [art(1), art(2), art(1, "again.png"), str(tmp_path / "missing.png")]

        ended = cli(*UPLOAD, "--json", *files)

        result = json.loads(ended.stdout)
        assert list(result)[:4] == ["designs", "total", "outcomes", "summary"]
        assert all(outcome.keys() >= OUTCOME for outcome in result["outcomes"])
        assert [outcome["file"] for outcome in result["outcomes"]] == [
            "1.png",
            "2.png",
            "again.png",
            "missing.png",
        ]
        assert outcomes(result) == ["created", "created", "duplicate", "failed"]
        assert result["total"] == len(result["designs"]) == 2
        assert result["outcomes"][2]["match"]["filename"] == "UV_001.png"
        assert result["outcomes"][3]["code"] == "file_unreadable"
        summary = result["summary"]
        assert summary.keys() == SUMMARY
        counts = [summary[name] for name in ("uploaded", "duplicates", "created", "failed")]
        assert counts == [4, 1, 2, 1]
        assert ended.exit_code == 1

    def test_of_duplicates_alone_is_a_success_without_designs(
        self, cli: Cli, art: Callable[..., str]
    ) -> None:
        cli(*UPLOAD, art(1))

        result = cli.upload(*UPLOAD[1:], art(1))

        assert (result["designs"], result["total"], result["status"]) == ([], 0, 0)

    def test_tells_of_every_file_when_nothing_can_be_started(
        self, cli: Cli, art: Callable[..., str]
    ) -> None:
        away = "postgresql+pg8000://nobody@127.0.0.1:1/none"

        result = cli.upload(*UPLOAD[1:], art(1), art(2), DATABASE_URL=away)

        assert outcomes(result) == ["failed", "failed"]
        assert {outcome["code"] for outcome in result["outcomes"]} == {"database_unavailable"}
        assert all(outcome["retryable"] for outcome in result["outcomes"])
        assert result["status"] == 1


class TestTheTimeOfTheFiles:
    def test_starts_when_drivers_are_loaded_and_the_database_is_up(self, home: Path) -> None:
        ended = run(home, "any.png", command=(sys.executable, "-c", BEFORE_THE_CLOCK))

        assert ended.returncode == 77, ended.stderr

    def test_is_that_of_the_steps(self, cli: Cli, art: Callable[..., str]) -> None:
        result = cli.upload(*UPLOAD[1:], art(1))

        steps = result["outcomes"][0]["timings_ms"]["total"]
        assert 0 < steps <= result["summary"]["elapsed_ms"]


class TestTheExitStatus:
    def test_is_0_when_no_file_failed(self, cli: Cli, art: Callable[..., str]) -> None:
        assert cli(*UPLOAD, art(1), art(1)).exit_code == 0

    def test_is_1_when_one_did(self, cli: Cli, art: Callable[..., str], tmp_path: Path) -> None:
        (tmp_path / "text.png").write_text("no picture")

        assert cli(*UPLOAD, art(1), str(tmp_path / "text.png")).exit_code == 1

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["upload", "art.png"], "Missing option '--template'"),
            (["upload", "--template=UVDTF 16oz"], "Missing argument 'FILE...'"),
            (["upload", "--template=", "art.png"], "template: "),
            ([*UPLOAD, "--idempotency-key=two words", "art.png"], "idempotency_key: "),
            ([*UPLOAD, "--no-such-option", "art.png"], "No such option"),
            (["template", "add", "Mug", "--width=0", "--height=3"], "width_in: "),
            (["uplaod", "art.png"], "No such command"),
        ],
    )
    def test_is_2_for_wrong_usage(self, cli: Cli, arguments: list[str], complaint: str) -> None:
        ended = cli(*arguments)

        assert ended.exit_code == 2
        assert complaint in ended.stderr
        assert ended.stdout == ""

    def test_is_2_for_settings_that_are_wrong_and_each_is_named(self, cli: Cli) -> None:
        wrong = {"MAX_FILES": "many", "HASH_THRESHOLD": "300", "LOG_FORMAT": "xml"}

        ended = cli(*UPLOAD, "--json", "art.png", **wrong)

        assert ended.exit_code == 2
        assert all(f"{name}: " in ended.stderr for name in wrong)
        assert ended.stdout == ""

    def test_is_2_for_an_address_that_none_of_the_stores_has(self, cli: Cli) -> None:
        ended = cli(*UPLOAD, "art.png", NAS_URL="ftp://nas/Graphics")

        assert ended.exit_code == 2
        assert "NAS_URL: " in ended.stderr


class TestFiles:
    @pytest.mark.parametrize(
        "name",
        [
            "two words.png",
            "-rf.png",
            'it\'s "%22"; $HOME.png',
            "\u0646\u0627\u0645\u200c\u0647\u0627.png",
            "👨\u200d👩.png",
        ],
    )
    def test_keep_their_names(
        self, cli: Cli, art: Callable[..., str], tmp_path: Path, name: str
    ) -> None:
        art(1, name)

        result = cli.upload(*UPLOAD[1:], "--", str(tmp_path / name))

        assert result["outcomes"][0]["file"] == name
        assert result["designs"][0]["source_filename"] == name

    def test_have_what_is_not_text_in_their_names_replaced(self, home: Path) -> None:
        name = b"caf\xe9\n\x1b[31m.png"
        file = os.fsencode(home) + b"/" + name
        Path(os.fsdecode(file)).write_bytes(encoded(wrap(1)))

        ended = run(home, "--json", os.fsdecode(file))

        (outcome,) = json.loads(ended.stdout)["outcomes"]
        assert outcome["outcome"] == "created"
        assert outcome["file"] == "caf\ufffd\ufffd\ufffd[31m.png"

    def test_of_one_name_in_two_folders_are_two(
        self, cli: Cli, art: Callable[..., str], tmp_path: Path
    ) -> None:
        (tmp_path / "other").mkdir()

        result = cli.upload(*UPLOAD[1:], art(1, "art.png"), art(2, "other/art.png"))

        assert outcomes(result) == ["created", "created"]

    def test_that_can_not_be_read_fail_and_the_others_go_on(
        self, cli: Cli, art: Callable[..., str], tmp_path: Path
    ) -> None:
        folder, missing = tmp_path / "folder.png", tmp_path / "missing.png"
        folder.mkdir()
        # Root may read files of any mode, but no process's memory from its start.
        unreadable = "/proc/self/mem" if os.geteuid() == 0 else art(2, "closed.png")
        if os.geteuid() != 0:
            Path(unreadable).chmod(0)

        result = cli.upload(*UPLOAD[1:], str(folder), str(missing), unreadable, art(1))

        assert outcomes(result) == ["failed", "failed", "failed", "created"]
        reasons = [outcome["reason"] for outcome in result["outcomes"][:3]]
        assert all(reason.startswith("The file can't be read: ") for reason in reasons)
        assert len(set(reasons)) == 3


class TestOptions:
    def test_check_only_writes_nothing(
        self, cli: Cli, art: Callable[..., str], tmp_path: Path
    ) -> None:
        asked = cli.upload(*UPLOAD[1:], "--check-only", art(1), art(1))

        assert outcomes(asked) == ["held", "duplicate"]
        assert not (tmp_path / "home" / "nas").exists()
        assert outcomes(cli.upload(*UPLOAD[1:], art(1))) == ["created"]

    def test_holds_what_is_similar_or_goes_by_the_hash_alone_on_request(
        self, cli: Cli, art: Callable[..., str], tmp_path: Path
    ) -> None:
        cli(*UPLOAD, art(1))
        similar = tmp_path / "marked.png"
        similar.write_bytes(encoded(marked(wrap(1), 560, 230, size=32)))

        held = cli(*UPLOAD, "--review=hold", str(similar))
        literal = cli.upload(*UPLOAD[1:], "--policy=hash", "--check-only", str(similar))
        wrong = cli(*UPLOAD, "--review=never", str(similar))

        assert held.stdout.startswith("⏸️ marked.png: Held: it is similar to UV_001.png.")
        assert (held.exit_code, wrong.exit_code) == (0, 2)
        assert outcomes(literal) == ["held"]
        assert literal["outcomes"][0]["verdict"] == "unique"

    def test_allow_duplicate_files_a_second_design(self, cli: Cli, art: Callable[..., str]) -> None:
        cli.upload(*UPLOAD[1:], art(1))

        result = cli.upload(*UPLOAD[1:], "--allow-duplicate", art(1))

        (outcome,) = result["outcomes"]
        assert (outcome["outcome"], outcome["verdict"]) == ("created", "duplicate")
        assert outcome["filename"] == "UV_002.png"

    def test_idempotency_key_gives_the_same_designs_again(
        self, cli: Cli, art: Callable[..., str]
    ) -> None:
        first, again = (
            cli.upload(*UPLOAD[1:], "--idempotency-key=k1", art(1), art(2)) for _ in range(2)
        )

        assert outcomes(again) == ["created", "created"]
        assert again["designs"] == first["designs"]

    def test_digital_keeps_the_pixels(
        self, cli: Cli, art: Callable[..., str], tmp_path: Path
    ) -> None:
        result = cli.upload(*UPLOAD[1:], "--digital", "--shop=Nook", art(1))

        place = "NookTransfers/Nook/Digital/UVDTF 16oz/Digital_001.png"
        assert result["designs"][0]["file_path"] == f"/share/Graphics/{place}"
        with Image.open(tmp_path / "home" / "nas" / place) as image:
            assert image.size == wrap(1).size

    def test_user_and_shop_say_whose_the_design_is(self, cli: Cli, art: Callable[..., str]) -> None:
        of = {
            user: cli.upload(*UPLOAD[1:], f"--user={user}", art(1))["outcomes"][0]
            for user in ("ann", "bob")
        }
        named = cli.upload(*UPLOAD[1:], "--user=ann", "--shop=Ann's", art(2))["outcomes"][0]
        taken = cli.upload(*UPLOAD[1:], "--user=bob", "--shop=Ann's", art(2))["outcomes"][0]

        folder = "/share/Graphics/NookTransfers"
        assert of["ann"]["file_path"] == f"{folder}/ann/UVDTF 16oz/UV_001.png"
        assert of["bob"]["file_path"] == f"{folder}/bob/UVDTF 16oz/UV_001.png"
        assert named["file_path"] == f"{folder}/Ann's/UVDTF 16oz/UV_001.png"
        assert (taken["outcome"], taken["code"]) == ("failed", "shop_taken")


class TestTemplates:
    SQUARE = ("template", "add", "UVDTF 16oz", "--width=1", "--height=1", "--dpi=300")

    def test_of_a_shop_override_built_in_ones_until_they_are_removed(
        self, cli: Cli, art: Callable[..., str]
    ) -> None:
        def size(seed: int) -> tuple[int, int, int]:
            (design,) = cli.upload(*UPLOAD[1:], art(seed))["designs"]
            return tuple(design["print_file"][name] for name in ("width_px", "height_px", "dpi"))

        assert cli(*self.SQUARE).exit_code == 0
        overridden = size(1)
        assert "UVDTF 16oz: 1 x 1 in, stretch, 300 DPI" in cli("template", "list").stdout
        assert cli("template", "remove", "UVDTF 16oz").exit_code == 0

        assert overridden == (300, 300, 300)
        assert size(2) == (3800, 1732, 400)
        assert "UVDTF 16oz: 9.5 x 4.33 in, stretch, 400 DPI" in cli("template", "list").stdout

    def test_of_one_user_are_not_anothers(self, cli: Cli) -> None:
        cli(*self.SQUARE, "--user=ann")

        assert "UVDTF 16oz: 1 x 1 in" in cli("template", "list", "--user=ann").stdout
        assert "UVDTF 16oz: 9.5 x 4.33 in" in cli("template", "list", "--user=bob").stdout

    def test_that_are_built_in_are_listed(self, cli: Cli) -> None:
        names = [line.split(":")[0] for line in cli("template", "list").stdout.splitlines()]

        assert names == ["DTF Adult", "DTF Adult+", "DTF Youth", "UVDTF 16oz", "UVDTF Decal"]

    def test_that_can_not_be_printed_are_refused(self, cli: Cli) -> None:
        ended = cli("template", "add", "Banner", "--width=90", "--height=3")

        assert ended.exit_code == 1
        assert "template_invalid" in ended.stderr
        assert "Banner" not in cli("template", "list").stdout

    @pytest.mark.parametrize("name", ["A/B", "..", "CON", "Mug ", "Mug\u200b"])
    def test_whose_name_can_be_no_folder_is_not_saved(self, cli: Cli, name: str) -> None:
        ended = cli("template", "add", name, "--width=1", "--height=1")

        assert (ended.exit_code, "name_invalid" in ended.stderr) == (1, True)
        assert len(cli("template", "list").stdout.splitlines()) == 5

    def test_that_are_unknown_can_not_be_removed_or_named(
        self, cli: Cli, art: Callable[..., str]
    ) -> None:
        removed = cli("template", "remove", "UVDTF 16oz")
        result = cli.upload("--template=Mug", art(1))

        assert (removed.exit_code, "template_unknown" in removed.stderr) == (1, True)
        assert result["outcomes"][0]["code"] == "template_unknown"


class TestMigrate:
    def test_brings_a_new_database_up_to_date_and_may_be_run_again(
        self, empty_database_url: str, cli: Cli
    ) -> None:
        too_early = cli("template", "list", DATABASE_URL=empty_database_url)
        migrated = [cli("migrate", DATABASE_URL=empty_database_url) for _ in range(2)]

        assert (too_early.exit_code, "database_not_ready" in too_early.stderr) == (1, True)
        assert [ended.exit_code for ended in migrated] == [0, 0]
        assert cli("template", "list", DATABASE_URL=empty_database_url).exit_code == 0


class TestWhatAPersonSees:
    def test_is_a_sentence_for_each_file(self, cli: Cli, art: Callable[..., str]) -> None:
        ended = cli(*UPLOAD, art(1), art(1, "again.png"))

        place = "/share/Graphics/NookTransfers/LocalShop/UVDTF 16oz/UV_001.png"
        assert ended.stdout.splitlines() == [
            f"✅ 1.png: Filed as UV_001.png. {place}",
            f"⚠️ again.png: The shop already has it as UV_001.png. {place}",
        ]

    def test_is_the_log_on_standard_error_where_that_is_no_terminal(
        self, cli: Cli, art: Callable[..., str]
    ) -> None:
        said = cli(*UPLOAD, art(1)).stderr

        assert "🔍 Starting optimized duplicate check for 1 files" in said
        assert "📊 Summary: 1 uploaded, 0 duplicates skipped, 1 created" in said

    def test_is_a_line_of_json_for_each_line_of_the_log_where_asked_for(
        self, cli: Cli, art: Callable[..., str]
    ) -> None:
        said = cli(*UPLOAD, art(1), LOG_FORMAT="json").stderr

        lines = [json.loads(line) for line in said.splitlines()]
        assert {"time", "level", "logger", "message"} <= lines[-1].keys()
        assert lines[-1]["created"] == 1

    def test_is_a_progress_bar_on_a_terminal(
        self, database_url: str, home: Path, art: Callable[..., str]
    ) -> None:
        files = [art(1), art(2), str(home / "missing.png")]

        status, shown = on_terminal(home, *files, DATABASE_URL=database_url)

        assert status == 1
        assert "3/3" in shown
        assert "Processing and formatting images" in shown
        assert "INFO" not in shown
        assert shown.splitlines()[-1].startswith("❌ missing.png: The file can't be read: ")

    def test_is_the_result_alone_where_it_goes_elsewhere_than_the_bar(
        self, database_url: str, home: Path, art: Callable[..., str]
    ) -> None:
        output = home / "result.json"

        status, shown = on_terminal(
            home, "--json", art(1), DATABASE_URL=database_url, output=output
        )

        assert status == 0
        assert "1/1" in shown
        assert outcomes(json.loads(output.read_text())) == ["created"]


class TestTheEmbeddedDatabase:
    def test_serves_several_commands_that_start_at_once_in_a_fresh_home(
        self, home: Path, art: Callable[..., str]
    ) -> None:
        shared = art(0)
        commands = [start(home, "--json", shared, art(1 + turn)) for turn in range(5)]
        results = [json.loads(command.communicate()[0]) for command in commands]

        failed = [one for result in results for one in result["outcomes"] if one["code"]]
        assert {one["code"] for one in failed} <= {"duplicate"}, failed
        assert [command.returncode for command in commands] == [0] * 5
        first, own = zip(*map(outcomes, results), strict=True)
        assert sorted(first) == ["created"] + ["duplicate"] * 4
        assert own == ("created",) * 5
        files = {design["file_path"] for result in results for design in result["designs"]}
        assert len(files) == 6
        assert not is_served(home)

    def test_is_left_by_a_command_that_is_interrupted(
        self, home: Path, art: Callable[..., str]
    ) -> None:
        files = [art(seed) for seed in range(6)]
        command = start(home, "--json", *files)
        assert command.stderr is not None
        next(line for line in command.stderr if "Added design" in line)

        command.send_signal(signal.SIGINT)
        out, said = command.communicate(timeout=30)

        assert (command.returncode, out) == (1, "")
        assert said.rstrip().endswith("Aborted!")
        assert "Traceback" not in said
        assert not is_served(home)
        again = json.loads(run(home, "--json", *files).stdout)
        assert set(outcomes(again)) == {"created", "duplicate"}


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        [*COMMAND, *UPLOAD, *arguments],
        cwd=ROOT,
        env=os.environ | {"PLATEN_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    home: Path, *arguments: str, command: tuple[str, ...] = COMMAND
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [*command, *UPLOAD, *arguments],
        cwd=ROOT,
        env=os.environ | {"PLATEN_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def on_terminal(
    home: Path, *arguments: str, output: Path | None = None, **environment: str
) -> tuple[int, str]:
    """The exit status of an upload on a terminal, and what that shows without its colours."""
    ours, theirs = pty.openpty()
    with (output or Path("/dev/null")).open("wb") as file:
        command = subprocess.Popen(  # noqa: S603
            [*COMMAND, *UPLOAD, *arguments],
            cwd=ROOT,
            env=os.environ | {"PLATEN_HOME": str(home), "TERM": "xterm"} | environment,
            stdin=theirs,
            stdout=file if output else theirs,
            stderr=theirs,
        )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # how Linux tells that nobody has the terminal open any more
        pass
    os.close(ours)
    return command.wait(), re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.decode())


def is_served(home: Path) -> bool:
    """Whether a server has the embedded database open: it holds a lock for as long as it lives."""
    data = os.open(home / "postgres" / "data", os.O_RDONLY)
    try:
        fcntl.flock(data, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(data)
    return False
