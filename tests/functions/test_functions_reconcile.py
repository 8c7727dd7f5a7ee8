"""The reconcile function: what the command does, over HTTP."""

from __future__ import annotations

import pytest

from shared import messages
from tests.draw import encoded, wrap
from tests.functions.functions_calls import SELLER, WRAP, Site

FILE = f"NookTransfers/Nook/{WRAP}/UV_001.png"


@pytest.fixture
def damaged(site: Site) -> Site:
    """A site on which a design's file is gone."""
    answer = site.post("upload", SELLER, ("cup.png", encoded(wrap(1, 300, 137))))
    assert b"created" in answer.data
    site.parts.nas.delete(FILE)
    return site


def test_nothing_is_found_where_all_is_in_order(site: Site) -> None:
    answer = site.client("reconcile").post("/", json={"repair": True, "verify": True})

    assert (answer.status_code, answer.json) == (200, {"found": [], "counts": {}, "left": 0})


def test_what_is_found_is_named_and_counted(damaged: Site) -> None:
    answer = damaged.client("reconcile").post("/", json={})

    assert (answer.json["counts"], answer.json["left"]) == ({"missing": 1}, 1)
    (found,) = answer.json["found"]
    assert found["file_path"] == damaged.parts.places.stored(FILE)


def test_at_most_so_many_are_named_and_all_are_counted(
    damaged: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MAX_TOLD", 0)

    answer = damaged.client("reconcile").post("/", json={})

    assert (answer.json["found"], answer.json["counts"]) == ([], {"missing": 1})


@pytest.mark.parametrize("request_", [{"repair": "perhaps"}, {"user_id": "a"}, {"files": []}])
def test_what_is_no_request_of_its_own_is_refused(bare: Site, request_: dict[str, object]) -> None:
    answer = bare.client("reconcile").post("/", json=request_)

    assert (answer.status_code, answer.json["code"]) == (400, "request_invalid")


def test_files_are_refused(bare: Site) -> None:
    answer = bare.post("reconcile", {}, ("cup.png", b"x"))

    assert (answer.status_code, answer.json["code"]) == (400, "request_invalid")


def test_a_database_that_is_away_is_503(bare: Site) -> None:
    answer = bare.client("reconcile").post("/", json={})

    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
