"""The error family: what can go wrong, in the words a user reads.

Every class has a stable ``code``, one public sentence and whether sending the same request again
can help. Facts are filled into the sentence by name. The core raises; the edge answers.

    PlatenError
    ├── RequestInvalid, HeadTooLarge, BodyTooLarge, DigestMismatch, RequestTooSlow,
    │   MethodNotAllowed, PathUnknown
    ├── Busy, Stopping     the function has no room or no time for the request now
    ├── FileRefused        one file can't be taken in; the others go on
    │   └── EmptyFile, FileTooLarge, FileUnreadable, UnsupportedFormat,
    │       CorruptImage, ImageTooLarge, ImageTooCostly, AnimatedImage, FullyTransparent
    ├── TemplateUnknown, TemplateInvalid, NameInvalid
    ├── Conflict           what is there already stands against it
    │   ├── DuplicateDesign ← SimilarDesign
    │   └── NameTaken, KeyReused, ShopTaken, StagedFileMissing
    ├── NasError           the NAS did not do what it was asked
    │   ├── NasUnavailable ← NasBusy
    │   ├── NasFull        ← NasQuota
    │   └── NasRefused     ← NasLogin, NasShareUnknown, NasUnencrypted, NasReplaces
    ├── DatabaseError      DatabaseUnavailable, DatabaseNotReady, DatabaseRefused
    ├── StepFailed         a function answered with an error of its own
    └── InternalError
"""

from __future__ import annotations

from typing import ClassVar


class PlatenError(Exception):
    """Base of all of Platen's own errors.

    ``facts`` are formatted into the class's public sentence, so they must be fit for a user's eyes:
    no paths of the server, hosts, SQL or secrets.
    """

    code: ClassVar[str]
    sentence: ClassVar[str]
    retryable: ClassVar[bool] = False

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.sentence.format(**facts))

    @property
    def message(self) -> str:
        """The public sentence with its facts."""
        return str(self)


class RequestInvalid(PlatenError):
    code = "request_invalid"
    sentence = "The request can't be read: {reason}."


class BodyTooLarge(PlatenError):
    code = "body_too_large"
    sentence = "The request is larger than the {limit_mb:.0f} MB allowed."


class HeadTooLarge(PlatenError):
    code = "head_too_large"
    sentence = "The request's first line or its headers are longer than allowed."


class DigestMismatch(PlatenError):
    code = "digest_mismatch"
    sentence = "The body that arrived is not the one that its Content-Digest tells of."
    retryable = True


class RequestTooSlow(PlatenError):
    code = "request_too_slow"
    sentence = "The request did not arrive in time."
    retryable = True


class Busy(PlatenError):
    code = "busy"
    sentence = "The function has too much to do at the moment."
    retryable = True


class Stopping(PlatenError):
    code = "stopping"
    sentence = "The function is being stopped."
    retryable = True


class MethodNotAllowed(PlatenError):
    code = "method_not_allowed"
    sentence = "This address takes {allowed} only."


class PathUnknown(PlatenError):
    code = "path_unknown"
    sentence = "There is nothing at this address."


class FileRefused(PlatenError):
    """One uploaded file can't be taken in; the others of its batch go on."""


class EmptyFile(FileRefused):
    code = "empty_file"
    sentence = "The file is empty."


class FileTooLarge(FileRefused):
    code = "file_too_large"
    sentence = "The file has {size_mb:.1f} MB; at most {limit_mb:.0f} MB are allowed."


class FileUnreadable(FileRefused):
    code = "file_unreadable"
    sentence = "The file can't be read: {reason}."


class UnsupportedFormat(FileRefused):
    code = "unsupported_format"
    sentence = "The file is not a PNG, JPEG, WebP, TIFF or BMP image that can be read here."


class CorruptImage(FileRefused):
    code = "corrupt_image"
    sentence = "The image is damaged or cut short: {reason}."


class ImageTooLarge(FileRefused):
    code = "image_too_large"
    sentence = "The image is {width} x {height} px; at most {limit} are allowed."


class ImageTooCostly(FileRefused):
    code = "image_too_costly"
    sentence = "The image takes more {what} to be worked on than there is for one."


class AnimatedImage(FileRefused):
    code = "animated_image"
    sentence = "The image has several frames or pages; send one picture a file."


class FullyTransparent(FileRefused):
    code = "fully_transparent"
    sentence = "The image is fully transparent: there is nothing to print."


class TemplateUnknown(PlatenError):
    code = "template_unknown"
    sentence = "There is no template named '{name}'."


class TemplateInvalid(PlatenError):
    code = "template_invalid"
    sentence = "The template can't be used: {reason}."


class NameInvalid(PlatenError):
    code = "name_invalid"
    sentence = "The {what} can't be used as a name on the NAS: {reason}."


class Conflict(PlatenError):
    """What is there already stands against the request."""


class DuplicateDesign(Conflict):
    """Carries the matched design: ``match`` is a `shared.records.Match`."""

    code = "duplicate"
    sentence = "The shop already has this design: {filename}."

    def __init__(self, match: object, filename: str) -> None:
        super().__init__(filename=filename)
        self.match = match


class SimilarDesign(DuplicateDesign):
    """Carries the match too, whose verdict is ``similar``; raised only where such are held."""

    code = "similar"
    sentence = "It is similar to {filename}: look at both, then send it again if both are wanted."


class NameTaken(Conflict):
    code = "name_taken"
    sentence = "There is already another file named {name}."


class KeyReused(Conflict):
    code = "idempotency_key_reused"
    sentence = "The idempotency key was used for another upload before; use a new key."


class ShopTaken(Conflict):
    code = "shop_taken"
    sentence = "The shop '{shop}' belongs to another user."


class StagedFileMissing(Conflict):
    code = "staged_file_missing"
    sentence = "The print file of this design is not on the NAS; process the upload again."
    retryable = True


class NasError(PlatenError):
    """The NAS did not do what it was asked."""


class NasUnavailable(NasError):
    code = "nas_unavailable"
    sentence = "The NAS can't be reached at the moment; try again."
    retryable = True


class NasFull(NasError):
    code = "nas_full"
    sentence = "The NAS is full; free some space, then try again."
    retryable = True


class NasRefused(NasError):
    code = "nas_refused"
    sentence = "The NAS refuses this; check the account and its rights."


class NasBusy(NasUnavailable):
    code = "nas_busy"
    sentence = "Another program holds this file on the NAS open; try again."


class NasQuota(NasFull):
    code = "nas_quota"
    sentence = "The account's share of the NAS is used up; raise its quota or free some space."


class NasLogin(NasRefused):
    code = "nas_login"
    sentence = "The NAS refuses the account's name or password."


class NasShareUnknown(NasRefused):
    code = "nas_share_unknown"
    sentence = "The NAS has no share of that name."


class NasUnencrypted(NasRefused):
    code = "nas_unencrypted"
    sentence = "The NAS can't encrypt what it is sent; turn encryption on there."


class NasReplaces(NasRefused):
    code = "nas_replaces"
    sentence = "This S3 service would replace files: it doesn't keep the condition If-None-Match."


class DatabaseError(PlatenError):
    """The database did not do what it was asked."""


class DatabaseUnavailable(DatabaseError):
    code = "database_unavailable"
    sentence = "The database can't be reached at the moment; try again."
    retryable = True


class DatabaseNotReady(DatabaseUnavailable):
    code = "database_not_ready"
    sentence = "The database is not ready: {reason}."


class DatabaseRefused(DatabaseError):
    code = "database_refused"
    sentence = "The database refuses this row; check that the user exists there."


class StepFailed(PlatenError):
    """A deployed function answered with an error: its code, sentence and advice, passed on."""

    code = "step_failed"
    sentence = "{message}"

    def __init__(self, code: str, message: str, retryable: bool) -> None:
        super().__init__(message=message)
        # The function's own words win over the class's: the driver must not blur them.
        self.code = code  # type: ignore[misc]
        self.retryable = retryable  # type: ignore[misc]


class InternalError(PlatenError):
    code = "internal_error"
    sentence = "Something went wrong on our side; the request id finds it in the log."
    retryable = True


def unforeseen(error: Exception) -> PlatenError:
    """What is told of an error that nobody raised on purpose: the log alone says what it was."""
    return Busy() if isinstance(error, MemoryError) else InternalError()
