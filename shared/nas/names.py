"""The one gate between what people call things and where files lie on the NAS.

Names are refused, never rewritten: rewriting would let two shops end up in one folder. The seller's
own filename never comes here: it is data, not a path.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from shared.errors import NameInvalid
from shared.settings import Settings

STAGING = ".platen"
"""Folder of the share for files that have no final name yet."""

MAX_CHARACTERS = 64
"""Three such parts and the fixed ones stay below the 260 characters of a classic Windows path."""

MAX_BYTES = 140
"""Of UTF-8: encrypted folders on NAS boxes (eCryptfs) hold names of at most 143 bytes."""

# The separators, a stream (:) and the wildcards of SMB; ~ starts a Windows short name (ABCDEF~1),
# which is a second name of somebody else's folder.
_FORBIDDEN = frozenset('/\\:*?"<>|~')

_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)
"""Names that Windows gives to devices, with any extension."""


def part(text: str, what: str) -> str:
    """``text`` as one part of a path on the NAS, in Unicode's form NFC.

    ``what`` is what the text names, such as "shop". Letters and signs of any script pass; what any
    file system, SMB or Windows would read as something else than a plain name does not.
    Raises NameInvalid.
    """
    reason = _refusal(name := unicodedata.normalize("NFC", text))
    if reason:
        raise NameInvalid(what=what, reason=reason)
    return name


def print_file(text: str) -> str:
    """``text`` as the name of a print file: a `part` that ends in ``.png``. Raises NameInvalid."""
    name = part(text, "file name")
    if not name.endswith(".png"):
        raise NameInvalid(what="file name", reason="it must end in .png")
    return name


def split(path: str) -> tuple[str, ...]:
    """The parts of a share-relative path, none of which leads elsewhere: each store's own guard.

    Looser than `part`, so that files which others put on the share can be read. Raises NameInvalid.
    """
    parts = tuple(path.split("/"))
    if not all(map(_stays_inside, parts)):
        raise NameInvalid(what="path", reason="it does not lead to a place within the share")
    return parts


def key(text: str) -> str:
    """What two names have in common that SMB shares take for one: compare by this, not by case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def staged(design_id: UUID, sha256: str) -> str:
    """Where a design's print file waits for its final name, relative to the share.

    ``sha256`` (hex) is the file's: other bytes for the same design are another file.
    """
    return f"{STAGING}/{design_id}.{sha256}.part"


@dataclass(frozen=True, slots=True)
class Places:
    """Where files lie: relative to the share for the stores, in the NAS's own names for rows."""

    mount: str
    """The NAS's own name of the share, without a slash at its end."""
    root: str
    """Folder of the shops' folders, relative to the share; empty where that is the share itself."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        mount = settings.nas_mount.rstrip("/")
        return cls(mount=mount, root=settings.nas_root.rstrip("/").removeprefix(mount).strip("/"))

    def folder(self, shop: str, template: str, *, digital: bool) -> str:
        """``NookTransfers/Shop/[Digital/]Template``, relative to the share. Raises NameInvalid."""
        parts = [self.root, part(shop, "shop"), "Digital" * digital, part(template, "template")]
        return "/".join(filter(None, parts))

    def stored(self, path: str) -> str:
        """A share-relative path in the NAS's own names: what rows hold."""
        return f"{self.mount}/{path}"

    def relative(self, stored_path: str) -> str:
        """The share-relative path of a row's path. Raises NameInvalid when it lies elsewhere."""
        path = stored_path.removeprefix(f"{self.mount}/")
        if path == stored_path:
            raise NameInvalid(what="stored path", reason="it lies outside the share")
        return "/".join(split(path))


def _refusal(name: str) -> str | None:
    """Why ``name`` can't be a part of a path; None when it can."""
    if not name:
        return "it is empty"
    if not all(map(_is_visible, name)):
        return "it holds control, invisible or unassigned characters"
    if len(name) > MAX_CHARACTERS or len(name.encode()) > MAX_BYTES:
        return f"it is longer than {MAX_CHARACTERS} characters or {MAX_BYTES} bytes"
    if not _FORBIDDEN.isdisjoint(name):
        return f"it holds one of {' '.join(sorted(_FORBIDDEN))}"
    if name[0] in " ." or name[-1] in " .":
        return "it starts or ends with a space or a dot"
    if name.split(".")[0].rstrip(" ").upper() in _DEVICES:
        return "Windows keeps this name for a device"
    return None


def _is_visible(character: str) -> bool:
    """Whether a character is a letter, a mark, a sign or the plain space.

    Others are invisible (two names would look alike), change with the Unicode version, or are
    private ones, which SMB servers use in place of ``:`` and ``/``.
    """
    return character == " " or unicodedata.category(character)[0] not in "CZ"


def _stays_inside(name: str) -> bool:
    if name in ("", ".", "..") or not {"\\", ":"}.isdisjoint(name):
        return False
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
