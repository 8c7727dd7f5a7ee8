"""Draw the pictures of ``docs/duplicates.md``: ``python -m infra.pictures``.

Every pair goes through the real workflow, in a shop of its own. Nothing is written where a verdict
is another one than the pair's label.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path

from infra.pictures.pairs import Pair, pairs
from infra.pictures.sheet import Card, sheet
from infra.pictures.shop import looking, outcome
from shared.records import Verdict
from shared.settings import Settings
from shared.wiring import Parts

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs" / "pictures"


def card(parts: Parts, pair: Pair) -> Card:
    """What the code says of a pair."""
    verdict = outcome(parts, pair).verdict
    with_setting = None
    if pair.setting is not None:
        with closing(looking(parts, pair.setting)) as others:
            with_setting = outcome(others, pair).verdict
    if verdict is None:
        raise RuntimeError(f"{pair.title}: the upload was not judged")
    return Card(pair, verdict, with_setting)


def wrong(card: Card) -> str | None:
    """What is wrong with a card, in words; None where the code says what the label says."""
    label = card.pair.verdict, card.pair.setting and Verdict.SIMILAR
    found = card.verdict, card.with_setting
    return None if found == label else f"{card.pair.title}: {found} instead of {label}"


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o711)  # The embedded server of root's runs as another user.
        # Named one by one, so that no environment leads to a shop's own stores.
        own = Settings(
            _env_file=None,
            platen_home=Path(home),
            database_url=None,
            nas_url="memory://pictures",
        )
        with closing(Parts(own)) as parts:
            sheets = {
                name: [card(parts, pair) for pair in group] for name, group in pairs().items()
            }
    mistakes = [fault for cards in sheets.values() for one in cards if (fault := wrong(one))]
    if mistakes:
        sys.exit("\n".join(mistakes))
    FOLDER.mkdir(exist_ok=True)
    for name, cards in sheets.items():
        (FOLDER / f"{name}.png").write_bytes(sheet(cards))


if __name__ == "__main__":
    main()
