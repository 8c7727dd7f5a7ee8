"""Tells where the functions are, once they answer."""

from __future__ import annotations

import shlex
import sys
import time

import httpx

from infra.local.processes import Processes
from shared.messages import Failure
from shared.settings import Settings

_PAUSE_S = 0.1
_LIVE_S = 1.0
_READY_S = 5.0
"""Waits for the answers to /healthz, which is asked again, and to /readyz, which is not."""


def wait(urls: dict[str, str], functions: Processes) -> None:
    """Return when every function answers, or one has ended."""
    for url in urls.values():
        while functions.ended() is None and not _is_live(url):
            time.sleep(_PAUSE_S)


def announcement(own: Settings, urls: dict[str, str], taken: list[int]) -> str:
    """What a person needs to use the functions at ``urls``; ``taken`` are ports they wanted."""
    lines = ["", "Platen is running:"]
    lines += [f"  {name:8} {url}/{_trouble(url)}" for name, url in urls.items()]
    if taken:
        lines.append(f"Taken by others: port {', '.join(map(str, taken))}.")
    lines += ["", "Send it a design (Ctrl-C ends everything):"]
    lines += [f"  {_curl(urls)}", "or, from this folder, with the command line:"]
    lines += [f"  {_command(own, urls)}", ""]
    return "\n".join(lines)


def _curl(urls: dict[str, str]) -> str:
    request = 'request={"template": "UVDTF 16oz"}'
    return f"curl -N -F {shlex.quote(request)} -F file=@design.png {urls['upload']}/"


def _command(own: Settings, urls: dict[str, str]) -> str:
    """The command line over HTTP; it is told the addresses that it would not try by itself."""
    names = {"dedupe_url", "process_url", "persist_url"}
    addresses = {name: urls[name.removesuffix("_url")] for name in sorted(names)}
    told = [f"{name.upper()}={url}" for name, url in addresses.items() if getattr(own, name) != url]
    command = [sys.executable, "-m", "shared.driver", "upload", "--http"]
    return shlex.join([*told, *command, "--template", "UVDTF 16oz", "design.png"])


def _is_live(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=_LIVE_S, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _trouble(url: str) -> str:
    """Why a function can't work yet, in its own words; nothing where it can."""
    try:
        answer = httpx.get(f"{url}/readyz", timeout=_READY_S, trust_env=False)
        problem = "" if answer.is_success else Failure.model_validate_json(answer.content).message
    except (httpx.TransportError, ValueError):
        problem = "It does not say whether it can work."
    return f"  not ready: {problem}" if problem else ""
