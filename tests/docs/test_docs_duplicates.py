"""``docs/duplicates.md`` shows what the code does: its pairs, sentences, pictures and settings."""

from __future__ import annotations

import io
import re
from contextlib import closing
from uuid import uuid4

import imagehash
import pytest
from PIL import Image

from infra.pictures.__main__ import FOLDER, card, wrong
from infra.pictures.pairs import Pair, pairs
from infra.pictures.shop import SMALL, looking, outcome, take
from shared.identity import tenant
from shared.messages import Done
from shared.records import Verdict
from shared.settings import Settings
from shared.wiring import Parts
from tests.docs.docs_markdown import codes, read, tables

PAGE = read("docs/duplicates.md")
GROUPS = pairs()
PAIRS = [pytest.param(pair, id=pair.title) for group in GROUPS.values() for pair in group]
SHOWN = re.findall(r"!\[[^\]]+\]\(pictures/([\w-]+\.png)\)", PAGE)
SENTENCES = {codes(row["Verdict"])[0]: row["What you read"] for row in tables(PAGE, "Verdict")}
QUOTES = re.findall(r"^> (.+)$", PAGE, re.MULTILINE)


def seller(parts: Parts) -> str:
    """Somebody with a small product and no designs."""
    name = uuid4().hex
    parts.designs.save_template(tenant(name), SMALL)
    return name


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_is_what_the_page_says(parts: Parts, pair: Pair) -> None:
    assert wrong(card(parts, pair)) is None


@pytest.mark.parametrize("verdict", Verdict)
def test_a_seller_reads_what_the_page_says(parts: Parts, verdict: Verdict) -> None:
    pair = GROUPS[verdict.value][0]

    assert outcome(parts, pair).reason == SENTENCES[verdict.value]


def test_similar_designs_are_held_on_request_and_variants_are_not(parts: Parts) -> None:
    held = outcome(parts, GROUPS["similar"][0], review="hold")
    filed = outcome(parts, GROUPS["variant"][0], review="hold")

    assert (held.outcome, filed.outcome) == (Done.HELD, Done.CREATED)
    assert held.reason == QUOTES[0]


def test_what_a_setting_finds_is_held_too(parts: Parts) -> None:
    pair = GROUPS["missed"][0]
    with closing(looking(parts, str(pair.setting))) as others:
        assert outcome(others, pair, review="hold").outcome is Done.HELD


@pytest.mark.parametrize("allowed", [True, [0]])
def test_upload_anyway_files_a_duplicate_and_says_so(
    parts: Parts, allowed: bool | list[int]
) -> None:
    pair = GROUPS["small"][0]

    assert outcome(parts, pair, allow_duplicate=allowed).reason == QUOTES[1]


def test_upload_anyway_for_another_place_allows_nothing(parts: Parts) -> None:
    assert outcome(parts, GROUPS["small"][0], allow_duplicate=[1]).outcome is Done.DUPLICATE


def test_a_picture_that_was_filed_twice_on_purpose_is_a_duplicate_the_third_time(
    parts: Parts,
) -> None:
    _, another, same, _ = GROUPS["duplicate"]

    def third(pair: Pair) -> Done:
        who = seller(parts)
        take(parts, who, pair.shop)
        take(parts, who, pair.upload, allow_duplicate=True)
        return take(parts, who, pair.shop).outcome

    assert (third(same), third(another)) == (Done.DUPLICATE, Done.DUPLICATE)


def test_the_hash_policy_skips_another_colour(parts: Parts) -> None:
    _, colourway, *_ = GROUPS["variant"]

    assert outcome(parts, colourway, policy="hash").verdict is Verdict.DUPLICATE


def test_the_original_fingerprint_takes_the_two_black_drawings_for_one() -> None:
    pair = GROUPS["unique"][0]
    first, second = (
        imagehash.phash(Image.open(io.BytesIO(file)).convert("RGB"), hash_size=16)
        for file in (pair.shop, pair.upload)
    )

    assert first - second == 0


def test_every_picture_is_shown_once_and_every_one_that_is_shown_is_there() -> None:
    there = sorted(path.name for path in FOLDER.iterdir())

    assert sorted(SHOWN) == there == sorted(f"{name}.png" for name in GROUPS)


def test_pictures_are_small() -> None:
    assert all(path.stat().st_size < 60_000 for path in FOLDER.iterdir())


def test_the_settings_are_all_that_judge_duplicates_with_their_defaults() -> None:
    rows = tables(PAGE, "Setting")
    listed = {codes(row["Setting"])[0]: "".join(codes(row["Default"])) for row in rows}

    fields = Settings.model_fields
    names = [name for name in fields if name.startswith(("duplicate_", "find_", "hash_"))]
    defaults = {name.upper(): fields[name].default for name in names}
    assert listed == {
        name: "" if value is None else str(getattr(value, "value", value))
        for name, value in defaults.items()
    }


def test_a_verdict_that_is_not_the_labelled_one_is_told(parts: Parts) -> None:
    (pair,) = GROUPS["small"]
    mislabelled = Pair(pair.title, pair.shop, pair.upload, Verdict.VARIANT)

    assert "duplicate" in (wrong(card(parts, mislabelled)) or "")
