"""A shop of its own: database, NAS and functions in one folder, faults before the stores."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa

from benchmarks.soak.faults import Faults
from infra.local.announce import wait
from infra.local.processes import Processes, serving
from infra.local.samba import SHARE, samba
from shared.database import embedded, migrate
from shared.database.engine import patient
from shared.settings import Settings
from tests.database_way import by_way_of
from tests.proxy import Proxy, proxy

NAMES = ("upload", "dedupe", "process", "persist")
HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]
LOG = "functions.log"

_APPEND = 'exec "$@" >>"$0" 2>&1'
"""The functions' logs are for whoever looks for the reason of a violation."""


@dataclass(frozen=True, slots=True)
class Site:
    home: Path
    database_url: str
    """Without faults; the functions find another one in the environment."""
    engine: sa.Engine
    folder: Path
    """What the share shows, on this machine."""


@dataclass(frozen=True, slots=True)
class Functions:
    urls: dict[str, str]
    pids: dict[str, int]


@contextmanager
def site(home: Path, nas: str | None, faults: Faults) -> Iterator[Site]:
    """A site in the folder ``home``; at the end its servers have ended.

    ``nas``: None for a folder, ``smb`` for a Samba server. Of this process's environment none of
    Platen's settings counts, and no ``.env``: nobody's NAS or database is touched.
    """
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    os.chdir(home)
    with ExitStack() as stack:
        url = stack.enter_context(embedded.start(home)).url
        migrate.upgrade(url)
        folder, setting = stack.enter_context(_nas(home, nas, faults))
        engine = patient(url)
        stack.callback(engine.dispose)
        server = unquote(str(sa.make_url(url).query["unix_sock"]))
        between = stack.enter_context(struck(server, faults))
        os.environ.update(
            setting,
            PLATEN_HOME=str(home),
            PYTHONPATH=str(ROOT),
            DATABASE_URL=by_way_of(between, url),
        )
        yield Site(home, url, engine, folder)


@contextmanager
def functions(site: Site) -> Iterator[Functions]:
    """The functions that take files in, answering; at the end they have ended."""
    urls: dict[str, str] = {}
    with Processes() as processes:
        for name in NAMES:
            with socket.create_server((HOST, 0), backlog=128) as listener:
                urls[name] = f"http://{HOST}:{listener.getsockname()[1]}"
                lend = listener.fileno()
                command = ["/bin/sh", "-c", _APPEND, str(site.home / LOG), *serving(name, lend)]
                processes.start(name, command, lend=lend)
        wait(urls, processes)
        if (end := processes.ended()) is not None:
            raise RuntimeError(f"{end}: {(site.home / LOG).read_text()}")
        yield Functions(urls, {name: processes.pid(name) for name in NAMES})


@contextmanager
def struck(server: int | str, faults: Faults) -> Iterator[Proxy]:
    """A proxy before a server, for which nothing stalls any more when it is to end."""
    with proxy(server) as between:
        between.line = faults.line
        try:
            yield between
        finally:
            faults.over.set()


@contextmanager
def _nas(home: Path, kind: str | None, faults: Faults) -> Iterator[tuple[Path, dict[str, str]]]:
    """The folder that the share shows, and the settings that lead to it."""
    if kind is None:
        folder = home / "nas"
        folder.mkdir()
        yield folder, {"NAS_URL": folder.as_uri()}
        return
    with samba(home) as (_, setting):
        port = urlsplit(setting["NAS_URL"]).port
        assert port is not None
        with struck(port, faults) as between:
            url = setting["NAS_URL"].replace(f":{port}/", f":{between.port}/")
            yield home / "samba" / SHARE, {**setting, "NAS_URL": url}
