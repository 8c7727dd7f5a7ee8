"""doctor: whether the database and the NAS do what Platen asks of them, in plain words.

Everything is tried as an upload would do it, and taken back. Findings come as they are made; where
a step fails, those that need it are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from uuid import UUID

from shared.errors import (
    DatabaseNotReady,
    DatabaseRefused,
    DatabaseUnavailable,
    NameInvalid,
    NasLogin,
    NasRefused,
    NasReplaces,
    NasShareUnknown,
    NasUnavailable,
    NasUnencrypted,
    PlatenError,
)
from shared.flows import trial
from shared.nas.names import Places
from shared.ports import Designs, Nas
from shared.records import Value
from shared.settings import SettingsInvalid

_ADVICE: dict[type[PlatenError], str] = {
    DatabaseUnavailable: "Check that it is on, and host and port in DATABASE_URL.",
    DatabaseNotReady: "",
    DatabaseRefused: "Its account needs SELECT, INSERT, UPDATE and DELETE on all tables; where "
    "users come from another program, name one of them with --user.",
    NasUnavailable: "Check that it is on, and the address in NAS_URL.",
    NasRefused: "The account must read, write, rename and delete in NAS_ROOT and in .platen.",
    NasLogin: "Check the user in NAS_URL and the password in NAS_PASSWORD or NAS_PASSWORD_FILE; "
    "for S3, the AWS credentials.",
    NasShareUnknown: "Check the share or bucket in NAS_URL.",
    NasUnencrypted: "Or set NAS_ENCRYPTION=preferred.",
    NasReplaces: "Use a newer version of it, or another store.",
    NameInvalid: "Check NAS_ROOT and the folder in NAS_URL.",
}
"""What to do, where an error's own sentence does not say it; the nearest class counts."""


class Finding(Value):
    """One check: ``message`` says what is right, or what is wrong and what to do."""

    check: str
    ok: bool
    message: str


def settings(read: Callable[[], object]) -> Finding:
    """Whether the settings can be used: ``read`` raises SettingsInvalid where they can't."""
    return _attempt("settings", "They can be used.", read)


def database(designs: Callable[[], Designs], user: UUID, places: Places) -> Iterator[Finding]:
    """Whether the database answers, is migrated, and lets ``user``'s designs be recorded."""
    yield from _until_wrong(
        ("database", "It answers and is migrated.", lambda: designs().check()),
        (
            "database rights",
            "Designs can be recorded; nothing of the trial was kept.",
            lambda: trial.record(designs(), user, places),
        ),
    )


def nas(nas: Callable[[], Nas], places: Places) -> Iterator[Finding]:
    """Whether the NAS takes files in and keeps them; whatever happens, the trial's are removed."""
    if not (yield from _until_wrong(("nas", "It answers.", lambda: nas().check()))):
        return
    filing = trial.Filing(nas(), places)
    try:
        yield from _until_wrong(
            ("nas write", "What is written is read back unchanged.", filing.write),
            (
                "nas rename",
                "A file gets its name in a new folder, and no other replaces it.",
                filing.rename,
            ),
        )
    finally:
        cleared = _attempt("nas delete", "Nothing of the trial was left.", filing.clear)
    yield cleared


Step = tuple[str, str, Callable[[], object]]
"""A check's name, what is right where it succeeds, and what is tried."""


def _until_wrong(*steps: Step) -> Generator[Finding, None, bool]:
    """The findings of the steps up to the first that fails; whether none did."""
    for step in steps:
        finding = _attempt(*step)
        yield finding
        if not finding.ok:
            return False
    return True


def _attempt(check: str, right: str, act: Callable[[], object]) -> Finding:
    try:
        act()
    except (PlatenError, SettingsInvalid, trial.Unfit) as error:
        return Finding(check=check, ok=False, message=_explained(error))
    return Finding(check=check, ok=True, message=right)


def _explained(error: Exception) -> str:
    """The error's own sentence, the system's reason, and what to do."""
    if not isinstance(error, PlatenError):
        return str(error)
    reason = _reason(error)
    advice = next((_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE), "")
    return " ".join(filter(None, [error.message, reason and f"({reason}.)", advice]))


def _reason(error: BaseException) -> str:
    """What the operating system said, such as "Connection refused": no paths, no secrets.

    Only where all began with that: a farewell that fails after a refusal tells nothing.
    """
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error.strerror or "" if isinstance(error, OSError) else ""
