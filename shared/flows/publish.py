"""Bring a recorded design's staged file under its final name and set the row active.

Finishing is idempotent: a retry, another worker or a later upload may finish any pending row, at
the same time as others. Nobody owns a row.
"""

from __future__ import annotations

from uuid import UUID

from shared.errors import NameTaken, StagedFileMissing
from shared.imaging.templates import number_of, print_name
from shared.nas.names import Places, staged
from shared.ports import Designs, Nas
from shared.records import Design, PrintFile, State, Template


class Publisher:
    """Finishes designs of one tenant."""

    def __init__(self, user: UUID, designs: Designs, nas: Nas, places: Places) -> None:
        self._user = user
        self._designs = designs
        self._nas = nas
        self._places = places

    def finish(self, design: Design) -> Design:
        """The design, active, its file under its final name.

        Raises StagedFileMissing when the file stands neither staged nor under its name, or its row
        was taken away meanwhile; and NasError or DatabaseError. The row then stays pending and can
        be finished later.
        """
        if design.state is State.ACTIVE:
            return design
        while not self._stands(design):
            design = self._renumber(design)
        if not self._designs.activate(design):
            raise StagedFileMissing
        return design.model_copy(update={"state": State.ACTIVE})

    def settle(self, design: Design) -> Design | None:
        """Finish another request's pending design; None where its file is gone for good.

        It is forgotten then.
        """
        try:
            return self.finish(design)
        except StagedFileMissing:
            self.forget(design)
            return None

    def forget(self, design: Design) -> None:
        """Remove the row of a pending design, unless it was changed meanwhile."""
        with self._designs.unit(self._user) as unit:
            if unit.get(design.design_id) == design:
                unit.forget(design.design_id)

    def _stands(self, design: Design) -> bool:
        """Publish under the recorded name; False when a file of somebody else's stands there."""
        path = self._places.relative(design.file_path)
        file = design.print_file
        if file is None:
            raise StagedFileMissing
        waiting = staged(design.design_id, file.sha256)
        try:
            self._nas.publish(waiting, path)
        except StagedFileMissing:
            # Looked at only after the staged name was found empty: whoever renamed it did so
            # before, so the file is at the target by now if it is anywhere.
            if self._is_ours(file, path):
                return True
            if self._moved(design):
                return False
            raise
        except NameTaken:
            if not self._is_ours(file, path):
                return False
            self._nas.delete(waiting)
        return True

    def _is_ours(self, file: PrintFile, path: str) -> bool:
        return self._nas.digest(path) == (file.size, file.sha256)

    def _moved(self, design: Design) -> bool:
        now = self._designs.get(self._user, design.design_id)
        return now is not None and now.file_path != design.file_path

    def _renumber(self, design: Design) -> Design:
        """Give the design the next number above every file that stands in its folder."""
        template = self._designs.template(self._user, design.template)
        folder = self._places.folder(design.shop, design.template, digital=design.is_digital)
        taken = [
            number_of(template, entry.path.rpartition("/")[2], digital=design.is_digital) or 0
            for entry in self._nas.list(folder)
        ]
        with self._designs.unit(self._user) as unit:
            now = unit.get(design.design_id)
            if now is None:
                raise StagedFileMissing
            if now.file_path != design.file_path:
                return now
            number = unit.take_number(folder, above=max(taken, default=0))
            moved = numbered(now, number, template, folder, self._places)
            unit.move(moved)
            return moved


def numbered(
    design: Design, number: int, template: Template, folder: str, places: Places
) -> Design:
    """The design under its number: file name and path with it."""
    name = print_name(template, number, digital=design.is_digital)
    path = places.stored(f"{folder}/{name}")
    return design.model_copy(update={"number": number, "filename": name, "file_path": path})
