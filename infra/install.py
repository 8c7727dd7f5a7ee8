"""Makes the virtual environment that the Makefile's verbs run in.

``python3 infra/install.py FOLDER``, run by the interpreter that the environment is to have, on the
standard library alone. Where nothing has changed since the last time, nothing is done.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one is told here
    sys.exit("Python 3.11 or newer is needed; name one: make PYTHON=python3.11")

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"

VERSION = "{}.{}".format(*sys.version_info)


def install(venv: Path, requirements: Path) -> None:
    """Bring the environment in the folder ``venv`` up to date with the file ``requirements``.

    Several processes may do so at once. An environment that is there already is kept, with what
    else it holds. Raises CalledProcessError when venv or pip fails, having said why on standard
    error, and ValueError when the environment is another Python's.
    """
    wanted = f"# Python {VERSION}\n{requirements.read_text(encoding='utf-8')}"
    record = venv / "installed.txt"
    if _read(record) == wanted:
        return
    with _alone(venv.parent):
        if _read(record) == wanted:
            return
        print(f"Installing what requirements.txt names into {venv} ...", flush=True)  # noqa: T201 - click is among them
        _check(venv)
        _run(sys.executable, "-m", "venv", venv)
        options = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]
        _run(venv / "bin" / "python", "-m", "pip", "install", *options, "-r", requirements)
        record.write_text(wanted, encoding="utf-8")


def _check(venv: Path) -> None:
    """Raise ValueError when an environment is there that this Python can't go on with."""
    python = venv / "bin" / "python"
    if not os.path.lexists(python):
        return
    question = "import sys; print('{}.{}'.format(*sys.version_info))"
    try:
        found = subprocess.run(  # noqa: S603 - the environment's own interpreter
            [python, "-c", question], stdout=subprocess.PIPE, text=True, check=False
        ).stdout.strip()
    except FileNotFoundError:  # what it links to is gone
        found = ""
    if found != VERSION:
        was = f"of Python {found}" if found else "broken"
        raise ValueError(f"{venv} is {was}: remove it, or name another: make VENV=...")


def _read(record: Path) -> str:
    try:
        return record.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold ``folder``, made where it is missing, against other processes that install in it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - the commands are our own


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]).absolute(), REQUIREMENTS)
    except subprocess.CalledProcessError:
        sys.exit("The environment could not be made; the lines above say why.")
    except (OSError, ValueError) as error:
        sys.exit(f"The environment can't be made: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
