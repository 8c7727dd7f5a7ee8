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

    @property
    def is_settled(self) -> bool:
        """Whether the latest whole answer leaves nothing to be sent again for."""
        return bool(self.results) and not any(each.retryable for each in self.results[-1].outcomes)

    def design(self, file: str) -> UUID:
        """The id that the design of a file of this request has, if it is filed."""
        return design_id(self.user, self.key, self.files.index(file))
