"""What sellers were told: the side of the books that the stores are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from shared.identity import design_id
from shared.messages import Outcome, Result


@dataclass(slots=True)
class Request:
    """One request under its key, however often it was sent."""

    user: UUID
    key: str
    files: list[str]
    """Names, each once, in order."""
    told: list[Outcome] = field(default_factory=list)
    """Every outcome of every answer, of those too that broke off."""
    results: list[Result] = field(default_factory=list)
    """Whole answers."""
    retries: list[str] = field(default_factory=list)
    """Why it was sent again, each time."""
    refused: str | None = None
    """What it was told not to send again for."""
    is_settled: bool = False
    """Whether it was answered, as often as it was made, and nothing is left to be retried."""

    def design(self, file: str) -> UUID:
        """The id that the design of a file of this request has, if it is filed."""
        return design_id(self.user, self.key, self.files.index(file))
