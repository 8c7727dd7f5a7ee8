"""Copies that no hash finds by itself, looked for after the tiers where a setting asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.fingerprint.finding import Test
from shared.fingerprint.ground import cut_out
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.limits import LIMITS
from shared.fingerprint.lookalike import in_other_form, in_part, seen_as
from shared.fingerprint.match import Matched
from shared.fingerprint.normal import normal_form
from shared.fingerprint.turned import turned
from shared.flows.source import Source
from shared.imaging.trim import trim
from shared.records import Candidate, NormalForm, Probe
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """Which kinds of them are looked for; each costs searches of its own."""

    turned: bool
    flattened: bool
    cropped: bool

    @classmethod
    def of(cls, settings: Settings) -> LookAlikes:
        return cls(settings.find_turned, settings.find_flattened, settings.find_cropped)

    @property
    def wanted(self) -> bool:
        return self.turned or self.flattened or self.cropped

    def find(
        self,
        probe: Probe,
        source: Source,
        near: Callable[[Probe], list[Candidate]],
        cropped: Callable[[Probe, int], list[Candidate]],
    ) -> Iterator[tuple[Probe, list[Matched]]]:
        """What each way of looking finds, with the probe that it looked with, one after another.

        ``near`` searches as the third tier does, ``cropped`` by low frequencies within some bits.
        """
        for test, form in self._forms(probe, source):
            seen = seen_as(probe, fingerprint(form))
            yield seen, in_other_form(seen, near(seen), test)
        if self.cropped:
            yield probe, in_part(probe, cropped(probe, LIMITS.low_bits))

    def _forms(self, probe: Probe, source: Source) -> Iterator[tuple[Test, NormalForm]]:
        if self.turned:
            for form in turned(source.normal_form):
                yield Test.TURNED, form
        if self.flattened and probe.fingerprint.is_opaque:
            for art in cut_out(trim(source.artwork.pixels)):
                yield Test.FLATTENED, normal_form(art)
