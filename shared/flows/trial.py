"""What the doctor tries: the steps of an upload, each taken back."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

from shared.errors import NameTaken, NasError
from shared.nas.names import STAGING, Places
from shared.ports import Designs, Nas
from shared.records import Design, Fingerprint, State

_SIZE = (1 << 20) + 1
"""Bytes of the file that is tried: more than stores send at once."""

_TEMPLATE = "Trial"
_FILE = "trial.png"


class Unfit(Exception):
    """Something did as it was asked, or so it said, and the outcome is wrong; one sentence."""


class _TakenBack(Exception):
    """Leaves a transaction so that nothing of it is kept."""


def record(designs: Designs, user: UUID, places: Places) -> None:
    """Record a design as persist does, change it, remove it, and roll all of that back.

    Raises DatabaseError.
    """
    shop = _shop()
    folder = places.folder(shop, _TEMPLATE, digital=False)
    design = _design(user, shop, places.stored(f"{folder}/{_FILE}"))
    with suppress(_TakenBack), designs.unit(user) as unit:
        unit.claim(shop)
        inserted = unit.insert(design)
        unit.move(inserted.model_copy(update={"number": unit.take_number(folder)}))
        unit.forget(design.design_id)
        raise _TakenBack


class Filing:
    """A file's way to its place on the NAS; `clear` must follow, whatever happened."""

    def __init__(self, nas: Nas, places: Places) -> None:
        self._nas = nas
        self._content = secrets.token_bytes(_SIZE)
        self._first, self._second = (f"{STAGING}/{uuid4().hex}.trial" for _ in range(2))
        self._folder = places.folder(_shop(), _TEMPLATE, digital=False)
        self._target = f"{self._folder}/{_FILE}"

    def write(self) -> None:
        """Stage a file and read it back. Raises NasError or Unfit."""
        self._nas.create(self._first, self._content)
        if self._nas.read(self._first) != self._content:
            raise Unfit(
                "What is read back is not what was written; check the NAS's disks and network."
            )

    def rename(self) -> None:
        """Give the file a name in a new folder that another one can't take from it.

        Raises NasError or Unfit.
        """
        self._nas.publish(self._first, self._target)
        self._nas.create(self._second, b"")
        with suppress(NameTaken):
            self._nas.publish(self._second, self._target)
            raise Unfit("A file was replaced by another of its name; use another store.")
        if self._nas.read(self._target) != self._content:
            raise Unfit("A file changed when it got its name; check the NAS's disks and network.")

    def clear(self) -> None:
        """Remove what the trial made. Raises Unfit, naming what may still be there."""
        left = [self._target, self._first, self._second]
        try:
            while left:
                self._nas.delete(left[0])
                if self._nas.stat(left[0]) is not None:
                    raise Unfit(f"A file that was deleted is still there: {left[0]}.")
                left.pop(0)
            for folder in (self._folder, self._folder.rpartition("/")[0]):
                self._nas.remove_folder(folder)
        except NasError as error:
            rest = ", ".join(left) or self._folder
            raise Unfit(f"{error.message} Remove by hand what is there of {rest}.") from error


def _shop() -> str:
    """A name that no shop has."""
    return f"Platen trial {uuid4().hex}"


def _design(user: UUID, shop: str, path: str) -> Design:
    return Design(
        design_id=uuid4(),
        user_id=user,
        shop=shop,
        template=_TEMPLATE,
        is_digital=False,
        number=None,
        filename=_FILE,
        file_path=path,
        source_filename=_FILE,
        upload_sha256=None,
        state=State.PENDING,
        print_file=None,
        preflight=None,
        fingerprint=Fingerprint(version=1, phash=f"{secrets.randbits(256):064x}"),
        created_at=datetime.now(UTC),
    )
