"""The README's commands work as they stand there, and its tables list what there is."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import functions_framework
import numpy as np
import pytest
from click.testing import CliRunner
from werkzeug.serving import WSGIRequestHandler, make_server

from infra.local.__main__ import PORTS
from shared import settings, wiring
from shared.driver.__main__ import main
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.normal import normal_form
from shared.messages import Done, UploadRequest
from shared.records import Fit
from shared.wiring import Parts
from tests.docs.docs_markdown import ROOT, blocks, codes, read, tables
from tests.draw import encoded, text, wrap

PAGE = read("README.md")
CURLS = [block for block in blocks(PAGE, "sh") if "curl" in block]


@pytest.fixture
def here(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with the files that the examples name; ``parts`` are the process's own."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(wiring, "parts", lambda: parts)
    settings.settings.cache_clear()
    Path("design.png").write_bytes(encoded(wrap(1)))
    Path("design.jpg").write_bytes(encoded(wrap(1), "JPEG", quality=90))
    Path("logo.png").write_bytes(encoded(text("Bride to be")))
    Path("other.png").write_bytes(encoded(wrap(2)))
    Path("notes.txt").write_text("Not a picture.")
    yield folder
    settings.settings.cache_clear()


def filed(parts: Parts) -> list[str]:
    folder = parts.settings.home / "nas" / "NookTransfers"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))


class TestTheCommandLine:
    def test_prints_what_the_readme_shows(self, here: Path) -> None:  # noqa: ARG002 - the folder
        shown = "".join(blocks(PAGE, "console"))

        printed = ""
        for command in re.findall(r"^\$ (.+)$", shown, re.MULTILINE):
            python, dash_m, module, *arguments = shlex.split(command)
            assert (python, dash_m, module) == ("python", "-m", "shared.driver")
            printed += f"$ {command}\n" + CliRunner().invoke(main, arguments).stdout

        assert printed == shown

    def test_has_exactly_the_options_that_the_readme_lists(self) -> None:
        command = main.commands["upload"]
        options = {
            name
            for option in command.params
            if isinstance(option, click.Option)
            for name in option.opts
        }

        listed = [code for row in tables(PAGE, "Option") for code in codes(row["Option"])]

        assert {code.partition(" ")[0] for code in listed} == options

    def test_has_exactly_the_commands_that_the_readme_lists(self) -> None:
        listed = {codes(row["Command"])[0] for row in tables(PAGE, "Command")}

        assert listed == set(main.commands) - {"upload"}

    def test_ends_with_2_where_a_setting_can_not_be_used(self, tmp_path: Path) -> None:
        environment = {**os.environ, "NAS_ROOT": "/elsewhere", "PLATEN_HOME": str(tmp_path)}

        ended = subprocess.run(
            [sys.executable, "-m", "shared.driver", "template", "list"],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

        assert ended.returncode == 2
        assert "NAS_ROOT must lie within NAS_MOUNT" in ended.stderr


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None: ...


@contextmanager
def serving(name: str) -> Iterator[int]:
    """A function over HTTP on a free port."""
    app = functions_framework.create_app(name, str(ROOT / "functions" / name / "main.py"))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def ports(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, int]]:  # noqa: ARG001 - the folder
    """The functions, by the ports that the README has them on."""
    # functions-framework writes these two, and handlers; so the test's end takes them away.
    monkeypatch.setenv("FUNCTION_TARGET", "")
    monkeypatch.setenv("FUNCTION_SIGNATURE_TYPE", "http")
    handlers = list(logging.getLogger().handlers)
    with ExitStack() as servers:
        yield {port: servers.enter_context(serving(name)) for name, port in PORTS.items()}
    logging.getLogger().handlers = handlers


def run(script: str, ports: dict[int, int]) -> str:
    """What a script prints; it fails where a function answers an error."""
    Path(".curlrc").write_text("fail\nsilent\nshow-error\n")
    local = re.sub(r"(?<=127\.0\.0\.1:)\d+", lambda port: str(ports[int(port[0])]), script)
    own = {"HOME": str(Path.cwd()), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ended = subprocess.run(  # noqa: S603 - the README's own lines
        ["/bin/sh", "-e", "-c", local],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl, which is not installed")
class TestTheCurlLines:
    def test_do_what_the_readme_says(self, ports: dict[int, int], parts: Parts) -> None:
        take, stream, ask, proof, by_hand = (run(block, ports) for block in CURLS)

        events = [json.loads(line) for line in take.splitlines()]
        assert [event["event"] for event in events] == ["progress", "progress", "outcome", "result"]
        assert stream.startswith("data: {")
        verdicts = [file["verdict"] for file in json.loads(ask)["files"]]
        assert verdicts == ["duplicate", "unique"]
        assert json.loads(proof)["file_path"].endswith("/UVDTF Decal/proof.png")
        assert json.loads(by_hand)["design"]["filename"] == "DTF_001.png"
        assert filed(parts) == [
            "LocalShop/DTF Adult/DTF_001.png",
            "LocalShop/UVDTF 16oz/UV_001.png",
            "LocalShop/UVDTF Decal/proof.png",
            "Nook/UVDTF 16oz/UV_001.png",
            "Nook/UVDTF 16oz/UV_002.png",
        ]


class TestTheTables:
    def test_list_the_functions_with_their_ports(self) -> None:
        rows = tables(PAGE, "Function")

        assert {
            codes(row["Function"])[0]: codes(row["Address under `make run`"])[0] for row in rows
        } == {name: f"http://127.0.0.1:{port}/" for name, port in PORTS.items()}

    def test_list_the_fields_of_a_request(self) -> None:
        listed = [code for row in tables(PAGE, "Field") for code in codes(row["Field"])]

        assert sorted(listed) == sorted(set(UploadRequest.model_fields) - {"files"})

    def test_list_the_outcomes(self) -> None:
        listed = [codes(row["Outcome"])[0] for row in tables(PAGE, "Outcome")]

        assert sorted(listed) == sorted(Done)

    def test_list_the_fits(self) -> None:
        listed = [codes(row["Fit"])[0] for row in tables(PAGE, "Fit")]

        assert sorted(listed) == sorted(Fit)


def test_inks_of_equal_brightness_are_one_picture_to_the_hashes() -> None:
    red, green = (
        fingerprint(normal_form(np.asarray(text("Bride to be", ink=ink))))
        for ink in ((200, 0, 0), (0, 102, 0))
    )

    assert red.distances(green).phash <= 1
