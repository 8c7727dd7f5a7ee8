"""The same idempotency key again: the same request repeats its outcomes, another one is refused."""

from __future__ import annotations

import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_driver_workflow import on_nas, outcomes, rows, take_in

from shared.errors import DatabaseUnavailable, KeyReused
from shared.identity import tenant
from shared.imaging import encode
from shared.imaging.deflate import Way, deflated
from shared.messages import Done, Result
from shared.records import Template
from shared.wiring import Parts
from tests.draw import encoded, wrap

TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
ONE, TWO, THREE = (encoded(wrap(seed, 160, 80)) for seed in (1, 2, 3))


@pytest.fixture(autouse=True)
def tiny(parts: Parts) -> None:
    parts.designs.save_template(tenant("seller"), TINY)


class TestAnotherRequestUnderTheKey:
    @pytest.mark.parametrize(
        "other", [{"template": "UVDTF 16oz"}, {"digital": True}, {"shop": "Cranny"}]
    )
    def test_for_another_product_or_shop_is_refused(
        self, parts: Parts, other: dict[str, object]
    ) -> None:
        files = [("1.png", ONE), ("2.png", TWO), ("3.png", THREE)]
        take_in(parts, *files, template="Tiny UV", idempotency_key="k1")
        before = rows(parts)

        result = take_in(parts, *files, idempotency_key="k1", **{"template": "Tiny UV"} | other)

        assert outcomes(result) == ["failed"] * 3
        assert {outcome.code for outcome in result.outcomes} == {KeyReused.code}
        assert rows(parts) == before

    def test_with_its_files_in_another_order_is_refused_for_those_that_moved(
        self, parts: Parts
    ) -> None:
        one, two, three = files = [("1.png", ONE), ("2.png", TWO), ("3.png", THREE)]
        first = take_in(parts, *files, template="Tiny UV", idempotency_key="k1")

        result = take_in(parts, two, one, three, template="Tiny UV", idempotency_key="k1")

        assert outcomes(result) == ["failed", "failed", "created"]
        assert result.designs == first.designs[2:]
        assert len(rows(parts)) == len(on_nas(parts, "NookTransfers/Nook/Tiny UV")) == 3

    def test_that_spells_template_and_shop_in_another_case_is_the_same(self, parts: Parts) -> None:
        first = take_in(parts, ("1.png", ONE), template="Tiny UV", idempotency_key="k1")

        again = take_in(
            parts, ("1.png", ONE), template="tiny uv", shop="NOOK", idempotency_key="k1"
        )

        assert again.designs == first.designs


class Broken:
    """A database on which one verb fails."""

    def __init__(self, real: object, verb: str) -> None:
        self._real, self._verb = real, verb

    def __getattr__(self, name: str) -> object:
        if name == self._verb:
            raise DatabaseUnavailable
        return getattr(self._real, name)


class TestAnEncoderThatGivesOtherBytes:
    """Another version of it, after a deploy: what was staged before stands in nobody's way."""

    @pytest.mark.parametrize("verb", ["unit", "activate"])
    def test_takes_the_request_up_where_it_broke_off(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch, verb: str
    ) -> None:
        file = ("1.png", ONE)
        cut = Parts(parts.settings)
        cut._nas, cut._designs = parts.nas, Broken(parts.designs, verb)  # type: ignore[assignment]
        assert outcomes(take_in(cut, file, idempotency_key="k1")) == ["failed"]
        before = on_nas(parts, ".platen") | on_nas(parts)
        monkeypatch.setattr(encode, "deflated", lambda data, _: deflated(data, Way(zlib, 1)))

        again = take_in(parts, file, idempotency_key="k1")

        assert outcomes(again) == ["created"]
        (design,) = again.designs
        (filed,) = on_nas(parts).values()
        assert design.print_file is not None
        assert hashlib.sha256(filed).hexdigest() == design.print_file.sha256
        # Once there is a row, it is the bytes of the row that count.
        assert (filed in before.values()) == (verb == "activate")


class TestAtTheSameTime:
    """Nobody waits until the first request under a key has ended."""

    def test_the_same_request_gives_the_same_outcomes_and_files_once(self, parts: Parts) -> None:
        files = [("1.png", ONE), ("2.png", TWO), ("1 again.png", ONE), ("3.png", THREE)]

        def send(_: int) -> Result:
            return take_in(parts, *files, template="Tiny UV", idempotency_key="k1")

        with ThreadPoolExecutor(6) as threads:
            results = list(threads.map(send, range(6)))

        for result in results:
            assert outcomes(result) == ["created", "created", "duplicate", "created"]
            assert [design.id for design in result.designs] == [
                design.id for design in results[0].designs
            ]
            assert [design.file_path for design in result.designs] == [
                design.file_path for design in results[0].designs
            ]
        assert len(rows(parts)) == len(on_nas(parts, "NookTransfers/Nook/Tiny UV")) == 3
        assert on_nas(parts, ".platen") == {}

    def test_of_other_files_one_is_filed_and_the_others_are_refused(self, parts: Parts) -> None:
        bodies = [encoded(wrap(seed, 160, 80)) for seed in range(6)]

        def send(body: bytes) -> Result:
            return take_in(parts, ("1.png", body), template="Tiny UV", idempotency_key="k1")

        with ThreadPoolExecutor(6) as threads:
            results = list(threads.map(send, bodies))

        told = [(result.outcomes[0].outcome, result.outcomes[0].code) for result in results]
        assert told.count((Done.CREATED, None)) == 1
        assert told.count((Done.FAILED, KeyReused.code)) == 5
        won = next(body for body, (done, _) in zip(bodies, told, strict=True) if done == "created")
        assert take_in(parts, ("1.png", won), template="Tiny UV", idempotency_key="k1").designs
        assert len(rows(parts)) == len(on_nas(parts, "NookTransfers/Nook/Tiny UV")) == 1
        assert on_nas(parts, ".platen") == {}
