"""The container's file: what it copies is there, and what it runs serves, is well and stops."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = (ROOT / "infra" / "deploy" / "Dockerfile").read_text()
START_S = 60


def command(word: str) -> list[str]:
    """The command that follows ``word``, which is a list in JSON at its line's end."""
    (found,) = re.findall(rf"^{word}\b[^\[\n]*(\[.*\])$", FILE, re.MULTILINE)
    words: list[str] = json.loads(found)
    return words


@pytest.fixture
def environment() -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"FUNCTION": "process", "PORT": str(port), "NAS_URL": "memory://", "PATH": path}
    return os.environ | own


def test_what_it_copies_is_there() -> None:
    copied = re.findall(r"^COPY (\S+) \S+$", FILE, re.MULTILINE)

    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_what_it_runs_serves_and_is_well_and_stops_on_request(environment: dict[str, str]) -> None:
    def is_well() -> bool:
        health = command("HEALTHCHECK")
        ended = subprocess.run(health, env=environment, capture_output=True, check=False)  # noqa: S603
        return ended.returncode == 0

    assert not is_well()
    server = subprocess.Popen(command("CMD"), cwd=ROOT, env=environment)  # noqa: S603
    try:
        deadline = time.monotonic() + START_S
        while not is_well():
            assert server.poll() is None
            assert time.monotonic() < deadline
        server.terminate()
        assert server.wait(timeout=20) == 0
    finally:
        server.kill()


def test_a_wrong_setting_ends_it_with_the_setting_s_name(environment: dict[str, str]) -> None:
    ended = subprocess.run(  # noqa: S603
        command("CMD"),
        cwd=ROOT,
        env=environment | {"REQUEST_TIMEOUT_S": "0", "MAX_BODY_MB": "x"},
        capture_output=True,
        check=False,
        text=True,
        timeout=START_S,
    )

    assert ended.returncode == 2
    assert "REQUEST_TIMEOUT_S: " in ended.stderr
    assert "MAX_BODY_MB: " in ended.stderr
    assert "Traceback" not in ended.stderr
