"""Room: the memory that a batch's files have while they are worked on."""

from __future__ import annotations

from collections.abc import Callable

from shared.admission import Memory, Share
from shared.errors import ImageTooCostly
from shared.flows.source import Source
from shared.messages import UploadRequest
from shared.wiring import Parts


def preparing(parts: Parts, request: UploadRequest) -> Callable[[Source], int]:
    """What a file of the request takes from its check to its print file, if it is to have one."""
    if request.check_only:
        return Source.to_read
    target = parts.target(request)
    return lambda source: source.to_prepare(target)


class Room:
    """One batch's, and its thread's.

    ``need``: bytes that a file takes. ``lane``: a share that the batch has for itself, enough for
    any one of its files that can be let in; without one, its first file waits until there is
    memory. A batch waits only while no file of it holds any, so batches never wait for each other.
    """

    def __init__(
        self, memory: Memory, need: Callable[[Source], int], lane: Share | None = None
    ) -> None:
        self._memory = memory
        self._need = need
        self._lane = lane
        self._in_lane: int | None = None
        self._shares: dict[int, Share] = {}

    def enter(self, at: int, source: Source) -> bool:
        """Whether work on the file at a position of the batch can begin now.

        Raises ImageTooCostly where it never can.
        """
        need = self._need(source)
        if need > self._memory.budget:
            raise ImageTooCostly(what="memory")
        if self._lane is not None and self._in_lane is None:
            self._in_lane = at
            return True
        is_first = self._in_lane is None and not self._shares
        share = self._memory.take(need) if is_first else self._memory.take_at_once(need)
        if share is not None:
            self._shares[at] = share
        return share is not None

    def leave(self, at: int) -> None:
        """The file is done with, whether it had entered or not."""
        if at == self._in_lane:
            self._in_lane = None
        elif share := self._shares.pop(at, None):
            share.release()
