"""Settings: read once from the environment, checked together, reported together by name.

``.env.example`` lists exactly these names. Nothing else in the project reads ``os.environ``.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from pydantic import Field, PositiveInt, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MEGABYTE = 1_000_000


class Policy(StrEnum):
    """How near matches are judged."""

    VERIFIED = "verified"
    """What is near by the hash is looked at: only the same picture in the same colours is a
    duplicate."""
    HASH = "hash"
    """The workflow's literal rule: Hamming distance at or below the threshold, nothing else."""


class Review(StrEnum):
    """What becomes of an upload that is similar to a design, and no duplicate."""

    FILE = "file"
    """It is filed, and the design it is similar to is reported."""
    HOLD = "hold"
    """It is not filed until somebody has looked and sends it again with ``allow_duplicate``."""


class Search(StrEnum):
    """Which designs near matches are searched in."""

    LIBRARY = "library"
    """All of the tenant's designs, by an index."""
    RECENT = "recent"
    """The newest 1,000 only: the workflow's own rule."""


class Scope(StrEnum):
    """Whose designs an upload is compared with."""

    USER = "user"
    TEMPLATE = "template"


class Encryption(StrEnum):
    """How the way to an SMB share is protected. Requests and replies are always authenticated."""

    REQUIRED = "required"
    """A NAS that can't encrypt is refused."""
    PREFERRED = "preferred"
    """A NAS that can't encrypt is spoken to in signed plain text."""


class Effort(StrEnum):
    """What is spent on making a print file small."""

    FAST = "fast"
    """About as small as other writers' usual setting, in a tenth of their time."""
    SMALL = "small"
    """As small as zlib can."""


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """Everything that can be set. Each limit has its unit in its name and its reason here."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    platen_home: Path = Path(".platen")
    """Where the embedded database (``postgres/``) and the folder NAS (``nas/``) live."""

    database_url: str | None = None
    """``postgresql+pg8000://user:password@host/database``; unset starts the embedded server."""

    nas_url: str | None = None
    """``file:///folder``, ``smb://user@host/Share``, ``s3://bucket/prefix`` or ``memory://name``;
    unset is the folder ``nas/`` under ``platen_home``."""
    nas_mount: str = "/share/Graphics"
    """The NAS's own name of the share that ``nas_url`` opens."""
    nas_root: str = "/share/Graphics/NookTransfers"
    """Where shops' folders lie, in the NAS's own names; must lie within ``nas_mount``."""

    nas_password: SecretStr | None = None
    """Password of the account that ``nas_url`` names."""
    nas_password_file: Path | None = None
    """File that holds it instead, such as a mounted secret; a line break at its end is left out."""
    nas_timeout_s: float = Field(default=30.0, ge=1)
    """Longest time of one operation on the NAS, retries included; 100 MB in 30 s need 3.4 MB/s."""
    nas_encryption: Encryption = Encryption.REQUIRED

    sweep_grace_h: float = Field(default=1.0, ge=0.1)
    """Hours that an upload may take before sweep and reconcile hold it for broken off. It takes
    seconds; an hour bears with clients that send a request again much later."""

    default_user: str = "local"
    """Who a request acts for when it names no user."""
    default_shop: str = "LocalShop"
    """The default user's shop, where a request names none."""

    duplicate_policy: Policy = Policy.VERIFIED
    hash_threshold: int | None = Field(default=None, ge=0, le=31)
    """Hamming distance in bits of 256 at or below which two designs are duplicates; unset is 15
    where a second look is taken, and the workflow's 5 where none is."""
    duplicate_review: Review = Review.FILE
    duplicate_search: Search = Search.LIBRARY
    duplicate_scope: Scope = Scope.USER
    find_turned: bool = False
    """Report designs that an upload is a mirrored copy of, or one turned by a right angle."""
    find_cropped: bool = False
    """Report designs that an upload is cut out of by some percent, or that it is a little turned
    from. Looks at every design of the tenant's."""
    find_flattened: bool = False
    """Report designs that an upload shows on a plain ground."""

    max_files: PositiveInt = 50
    """Files in one request: bounds what one request can hold in memory."""
    max_file_mb: PositiveInt = 100
    """Megabytes (10^6 bytes) of one file, judged before it is decoded."""
    max_body_mb: PositiveInt = 300
    """Megabytes of one request, judged before it is read."""
    request_timeout_s: float = Field(default=30.0, gt=0)
    """Longest wait for a request's head, for each megabyte of its body, and for a client that does
    not take its answer: 1 MB in 30 s is a line of 0.3 Mbit/s."""
    max_megapixels: int = Field(default=100, gt=0, le=400)
    """Pixels of one image, judged by its header: 100 MP decode to 400 MB of RGBA."""
    max_side_px: PositiveInt = 20_000
    """Longest side of an image and of a print file in pixels."""

    decode_timeout_s: float = Field(default=10.0, gt=0)
    """Longest time of the processor to decode a file whose header does not tell how long it takes,
    and six times that by the clock: a TIFF of 100 MP takes 3 s."""
    memory_mb: PositiveInt | None = None
    """Megabytes that pictures may take at once in one process; unset is 60 % of the memory that
    the control group, the address space and the machine allow."""

    png_effort: Effort = Effort.FAST
    """``small`` takes 20 to 60 times as long; the print file is smaller by a sixth or more, but for
    photos, which ``fast`` writes as small."""

    driver_workers: PositiveInt | None = None
    """Files worked on at once; unset is the number of processors, at least 2."""
    dedupe_url: str = "http://127.0.0.1:8081"
    process_url: str = "http://127.0.0.1:8082"
    persist_url: str = "http://127.0.0.1:8083"
    """Where the driver finds the functions when it works over HTTP."""
    http_timeout_s: float = Field(default=120.0, gt=0)

    database_pool: PositiveInt = 5
    """Connections a process keeps to the database."""
    database_timeout_s: float = Field(default=10.0, gt=0)
    """Longest wait for the database's answer; statements end in half of it."""

    log_format: LogFormat = LogFormat.TEXT

    @model_validator(mode="after")
    def _one_nas_password(self) -> Settings:
        if self.nas_password is not None and self.nas_password_file is not None:
            raise ValueError("set NAS_PASSWORD or NAS_PASSWORD_FILE, not both")
        return self

    @model_validator(mode="after")
    def _root_lies_within_mount(self) -> Settings:
        if not f"{self.nas_root}/".startswith(f"{self.nas_mount.rstrip('/')}/"):
            raise ValueError("NAS_ROOT must lie within NAS_MOUNT")
        return self

    def nas_secret(self) -> str | None:
        """The NAS account's password, from the setting or the file.

        Raises SettingsInvalid when the file can't be read.
        """
        if self.nas_password_file is None:
            return None if self.nas_password is None else self.nas_password.get_secret_value()
        try:
            return self.nas_password_file.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"NAS_PASSWORD_FILE: {type(error).__name__}") from error

    @property
    def home(self) -> Path:
        """``platen_home`` as an absolute path."""
        return self.platen_home.expanduser().absolute()


class SettingsInvalid(Exception):
    """The environment holds settings that can't be used; the text names each one."""


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read on first use.

    Raises SettingsInvalid naming every setting that is wrong at once.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, item['loc'])).upper() or 'settings'}: {item['msg']}"
            for item in error.errors()
        ]
        raise SettingsInvalid("; ".join(wrong)) from error
