"""A seller's batch, end to end: real pixels, a real database, a folder as NAS."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

import imagehash
import pytest
import sqlalchemy as sa
from PIL import Image

from shared.driver.room import Room, preparing
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.errors import DatabaseUnavailable, NasUnavailable
from shared.flows.source import Source
from shared.messages import (
    DedupeRequest,
    DedupeResponse,
    Done,
    Event,
    ProcessRequest,
    ProcessResponse,
    Result,
    UploadRequest,
)
from shared.ports import Content
from shared.records import Tier, Verdict
from shared.settings import Effort
from shared.wiring import Parts
from tests.draw import encoded, text, wrap

WRAP = "UVDTF 16oz"


def take_in(
    parts: Parts, *files: tuple[str, bytes], executor: Executor | None = None, **request: object
) -> Result:
    asked = UploadRequest.model_validate(
        {"template": WRAP, "user_id": "seller", "shop": "Nook"} | request
    )
    sources = [parts.source(name, data) for name, data in files]
    return upload(sources, asked, InProcess(parts), parts.settings, executor or parts.executor, 3)


def on_nas(parts: Parts, folder: str = f"NookTransfers/Nook/{WRAP}") -> dict[str, bytes]:
    return {
        entry.path.rpartition("/")[2]: parts.nas.read(entry.path) or b""
        for entry in parts.nas.list(folder)
    }


def rows(parts: Parts) -> list[sa.Row[tuple[object, ...]]]:
    engine = sa.create_engine(parts.settings.database_url or "")
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT * FROM design_images ORDER BY sequence")).all()
    engine.dispose()
    return list(found)


def outcomes(result: Result) -> list[str]:
    return [outcome.outcome.value for outcome in result.outcomes]


class TestANewDesign:
    def test_is_filed_and_recorded_under_the_same_path(self, parts: Parts) -> None:
        result = take_in(parts, ("wrap.png", encoded(wrap(1))))

        assert outcomes(result) == ["created"]
        (design,) = result.designs
        assert design.file_path == f"/share/Graphics/NookTransfers/Nook/{WRAP}/UV_001.png"
        (row,) = rows(parts)
        assert (row.file_path, row.filename, row.is_active) == (
            design.file_path,
            "UV_001.png",
            True,
        )
        png = on_nas(parts)["UV_001.png"]
        assert hashlib.sha256(png).hexdigest() == row.file_sha256 == design.print_file.sha256

    def test_is_a_print_file_of_the_templates_size_at_400_dpi(self, parts: Parts) -> None:
        take_in(parts, ("wrap.jpg", encoded(wrap(1), "JPEG", quality=90)))

        stored = parts.settings.home / "nas" / "NookTransfers" / "Nook" / WRAP / "UV_001.png"
        with Image.open(stored) as image:
            assert image.size == (3800, 1732)
            assert image.info["dpi"] == pytest.approx((400, 400), abs=0.01)

    def test_has_imagehashs_own_values_of_the_workflows_lines_where_it_is_opaque(
        self, parts: Parts
    ) -> None:
        art = wrap(1)
        (design,) = take_in(parts, ("wrap.png", encoded(art))).designs

        normalized = art.convert("RGB").resize((256, 256), Image.Resampling.LANCZOS)
        assert design.phash == str(imagehash.phash(normalized, hash_size=16))
        assert design.ahash == str(imagehash.average_hash(normalized, hash_size=16))
        assert design.dhash == str(imagehash.dhash(normalized, hash_size=16))
        assert design.whash == str(imagehash.whash(normalized, hash_size=16))

    def test_of_a_digital_product_keeps_its_pixels(self, parts: Parts) -> None:
        result = take_in(parts, ("wrap.png", encoded(wrap(1))), digital=True)

        (design,) = result.designs
        assert design.file_path.endswith(f"/Nook/Digital/{WRAP}/Digital_001.png")
        assert (design.print_file.width_px, design.print_file.height_px) == (1200, 547)

    def test_takes_numbers_in_the_order_of_the_batch(self, parts: Parts) -> None:
        files = [(f"{seed}.png", encoded(wrap(seed))) for seed in range(6)]

        result = take_in(parts, *files)

        assert [design.filename for design in result.designs] == [
            f"UV_{number:03d}.png" for number in range(1, 7)
        ]
        assert [design.source_filename for design in result.designs] == [name for name, _ in files]


class TestADuplicate:
    def test_of_an_earlier_upload_is_found_by_the_exact_tier(self, parts: Parts) -> None:
        file = ("wrap.png", encoded(wrap(1)))
        (first,) = take_in(parts, file).designs

        result = take_in(parts, file)

        (outcome,) = result.outcomes
        assert (outcome.outcome, outcome.verdict) == (Done.DUPLICATE, Verdict.DUPLICATE)
        assert outcome.match.tier is Tier.EXACT
        assert outcome.match.design_id == first.id
        assert outcome.match.file_path == first.file_path
        assert outcome.match.distances.phash == 0

    @pytest.mark.parametrize(
        "copy",
        [
            pytest.param(encoded(wrap(1), "JPEG", quality=85), id="jpeg"),
            pytest.param(encoded(wrap(1), "WEBP", quality=80), id="webp"),
            pytest.param(encoded(wrap(1).resize((600, 274), Image.Resampling.BICUBIC)), id="half"),
            pytest.param(
                encoded(wrap(1).resize((2400, 1094), Image.Resampling.BICUBIC)), id="double"
            ),
        ],
    )
    def test_in_another_encoding_or_size_is_found_by_the_hamming_tier(
        self, parts: Parts, copy: bytes
    ) -> None:
        take_in(parts, ("wrap.png", encoded(wrap(1))))

        (outcome,) = take_in(parts, ("copy", copy)).outcomes

        assert outcome.outcome is Done.DUPLICATE
        assert outcome.match.tier in (Tier.HAMMING, Tier.EXACT)

    def test_encoded_anew_without_loss_is_the_same_picture(self, parts: Parts) -> None:
        take_in(parts, ("wrap.png", encoded(wrap(1))))

        (outcome,) = take_in(parts, ("wrap.bmp", encoded(wrap(1), "BMP"))).outcomes

        assert outcome.match.test == "content_sha256"

    @pytest.mark.parametrize("count", [2, 5])
    def test_within_one_batch_leaves_the_first_file(self, parts: Parts, count: int) -> None:
        file = encoded(wrap(1))

        result = take_in(parts, *[(f"{n}.png", file) for n in range(count)])

        assert outcomes(result) == ["created"] + ["duplicate"] * (count - 1)
        for outcome in result.outcomes[1:]:
            assert outcome.match.tier is Tier.BATCH
            assert outcome.match.design_id == result.designs[0].id
            assert outcome.match.filename == "UV_001.png"
        assert len(rows(parts)) == len(on_nas(parts)) == 1

    def test_is_not_what_two_different_black_texts_are(self, parts: Parts) -> None:
        result = take_in(
            parts, ("a.png", encoded(text("Hello"))), ("b.png", encoded(text("World")))
        )

        assert outcomes(result) == ["created", "created"]

    def test_is_filed_again_where_the_seller_says_so(self, parts: Parts) -> None:
        file = ("wrap.png", encoded(wrap(1)))
        (first,) = take_in(parts, file).designs

        result = take_in(parts, file, file, allow_duplicate=True)

        assert outcomes(result) == ["created", "created"]
        assert [design.filename for design in result.designs] == ["UV_002.png", "UV_003.png"]
        assert result.outcomes[0].verdict is Verdict.DUPLICATE
        assert result.outcomes[0].match.design_id == first.id

    def test_of_another_tenants_design_is_no_duplicate(self, parts: Parts) -> None:
        file = ("wrap.png", encoded(wrap(1)))
        take_in(parts, file)

        assert outcomes(take_in(parts, file, user_id="other", shop="Cranny")) == ["created"]

    def test_of_another_templates_design_is_none_within_the_template(self, parts: Parts) -> None:
        file = ("wrap.png", encoded(wrap(1)))
        take_in(parts, file)

        assert outcomes(take_in(parts, file, template="DTF Adult")) == ["duplicate"]
        assert outcomes(take_in(parts, file, template="DTF Adult", scope="template")) == ["created"]

    def test_is_judged_at_the_threshold_the_request_names(self, parts: Parts) -> None:
        take_in(parts, ("wrap.png", encoded(wrap(1))))
        cropped = encoded(wrap(1).crop((6, 3, 1194, 544)))

        loose = take_in(
            parts, ("crop.png", cropped), policy="hash", hash_threshold=31, check_only=True
        )
        strict = take_in(
            parts, ("crop.png", cropped), policy="hash", hash_threshold=0, check_only=True
        )

        assert (outcomes(loose), outcomes(strict)) == (["duplicate"], ["held"])


class TestABatchOfDuplicates:
    def test_is_a_success_without_designs(self, parts: Parts) -> None:
        files = [(f"{seed}.png", encoded(wrap(seed))) for seed in range(3)]
        take_in(parts, *files)

        result = take_in(parts, *files)

        assert (result.designs, result.total) == ([], 0)
        assert result.summary.model_dump(exclude={"elapsed_ms"}) == {
            "uploaded": 3,
            "duplicates": 3,
            "created": 0,
            "held": 0,
            "failed": 0,
        }

    def test_without_any_file_is_an_empty_success(self, parts: Parts) -> None:
        result = take_in(parts)

        assert (result.designs, result.outcomes) == ([], [])


BAD_FILES = {
    "empty_file": b"",
    "unsupported_format": b"These are words, not pixels.",
    "corrupt_image": encoded(wrap(2))[:-2000],
    "animated_image": encoded(
        Image.new("RGB", (8, 8)),
        "PNG",
        save_all=True,
        append_images=[Image.new("RGB", (8, 8), "red")],
    ),
    "fully_transparent": encoded(Image.new("RGBA", (50, 50))),
    "image_too_large": encoded(Image.new("1", (20_001, 1))),
}


class TestABadFile:
    @pytest.mark.parametrize("code", BAD_FILES)
    def test_fails_with_its_code_and_the_others_go_on(self, parts: Parts, code: str) -> None:
        result = take_in(
            parts,
            ("good.png", encoded(wrap(1))),
            ("bad.png", BAD_FILES[code]),
            ("fine.png", encoded(wrap(3))),
        )

        assert outcomes(result) == ["created", "failed", "created"]
        assert result.outcomes[1].code == code
        assert result.outcomes[1].reason.endswith(".")
        assert sorted(on_nas(parts)) == ["UV_001.png", "UV_002.png"]

    def test_over_the_size_limit_fails_before_it_is_decoded(self, parts: Parts) -> None:
        result = take_in(parts, ("big.png", b"\x89PNG\r\n\x1a\n" + bytes(100_000_001)))

        assert result.outcomes[0].code == "file_too_large"

    def test_that_can_not_be_read_fails_alone(self, parts: Parts, tmp_path: Path) -> None:
        good = tmp_path / "good.png"
        good.write_bytes(encoded(wrap(1)))
        sources = [parts.source("gone.png", tmp_path / "gone.png"), parts.source("good.png", good)]
        request = UploadRequest(template=WRAP)

        result = upload(sources, request, InProcess(parts), parts.settings, parts.executor, 3)

        assert outcomes(result) == ["failed", "created"]
        assert result.outcomes[0].code == "file_unreadable"

    def test_does_not_take_a_duplicate_of_it_down(self, parts: Parts) -> None:
        """The first of two equal files fails on the NAS; the second is filed in its place."""
        broken = FailingNas(parts, failures=1)
        file = encoded(wrap(1))

        result = take_in(broken, ("a.png", file), ("b.png", file), ("c.png", file))

        assert outcomes(result) == ["failed", "created", "duplicate"]

    def test_of_an_unknown_template_says_so(self, parts: Parts) -> None:
        result = take_in(parts, ("a.png", encoded(wrap(1))), template="Mug")

        assert result.outcomes[0].code == "template_unknown"


class FailingNas(Parts):
    """Parts whose NAS fails the first times a file is to be staged."""

    def __init__(self, parts: Parts, failures: int) -> None:
        super().__init__(parts.settings)
        self._designs = parts.designs
        self._nas = self
        self._real = parts.nas
        self.failures = failures

    def create(self, path: str, content: Content) -> None:
        if self.failures:
            self.failures -= 1
            raise NasUnavailable
        self._real.create(path, content)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


class TestTheSameRequestAgain:
    def test_gives_the_same_designs_and_changes_nothing(self, parts: Parts) -> None:
        files = [(f"{seed}.png", encoded(wrap(seed))) for seed in (1, 2, 1)]
        first = take_in(parts, *files, idempotency_key="k1")
        before = (rows(parts), on_nas(parts))

        again = take_in(parts, *files, idempotency_key="k1")

        assert outcomes(again) == outcomes(first) == ["created", "created", "duplicate"]
        assert again.designs == first.designs
        assert (rows(parts), on_nas(parts)) == before

    def test_finishes_what_a_failure_left(self, parts: Parts) -> None:
        file = ("a.png", encoded(wrap(1)))
        failed = take_in(FailingNas(parts, failures=1), file, idempotency_key="k1")

        again = take_in(parts, file, idempotency_key="k1")

        assert outcomes(failed) == ["failed"]
        assert failed.outcomes[0].retryable
        assert outcomes(again) == ["created"]

    def test_with_another_file_is_refused(self, parts: Parts) -> None:
        take_in(parts, ("a.png", encoded(wrap(1))), idempotency_key="k1")

        result = take_in(parts, ("a.png", encoded(wrap(2))), idempotency_key="k1")

        assert result.outcomes[0].code == "idempotency_key_reused"
        assert len(rows(parts)) == 1


class TestCheckOnly:
    def test_tells_and_writes_nothing(self, parts: Parts) -> None:
        take_in(parts, ("a.png", encoded(wrap(1))))

        result = take_in(
            parts, ("a.png", encoded(wrap(1))), ("b.png", encoded(wrap(2))), check_only=True
        )

        assert outcomes(result) == ["duplicate", "held"]
        assert result.outcomes[1].verdict is Verdict.UNIQUE
        assert len(rows(parts)) == len(on_nas(parts)) == 1


class BrokenExecutor(ThreadPoolExecutor):
    """Stops taking work after so many tasks."""

    def __init__(self, tasks: int) -> None:
        super().__init__(2)
        self._tasks = tasks

    def submit(self, fn, /, *args, **kwargs) -> Future:
        if not self._tasks:
            raise RuntimeError("the pool is gone")
        self._tasks -= 1
        return super().submit(fn, *args, **kwargs)


class TestTheFallback:
    @pytest.mark.parametrize("tasks", range(9))
    def test_gives_each_file_left_its_one_outcome(self, parts: Parts, tasks: int) -> None:
        files = [(f"{n}.png", encoded(wrap(seed))) for n, seed in enumerate((1, 2, 1, 3))]

        with BrokenExecutor(tasks) as executor:
            result = take_in(parts, *files, executor=executor)

        assert outcomes(result) == ["created", "created", "duplicate", "created"]
        assert [design.filename for design in result.designs] == [
            "UV_001.png",
            "UV_002.png",
            "UV_003.png",
        ]
        assert len(rows(parts)) == len(on_nas(parts)) == 3

    def test_is_for_what_broke_not_for_a_batch_of_duplicates(
        self, parts: Parts, caplog: pytest.LogCaptureFixture
    ) -> None:
        files = [(f"{seed}.png", encoded(wrap(seed))) for seed in range(3)]
        take_in(parts, *files)
        caplog.clear()

        with caplog.at_level("INFO", "platen"):
            take_in(parts, *files)

        assert "Falling back" not in caplog.text

    @pytest.mark.parametrize(
        ("error", "code"), [(ZeroDivisionError, "internal_error"), (MemoryError, "busy")]
    )
    def test_turns_what_breaks_every_time_into_a_failed_outcome(
        self, parts: Parts, error: type[Exception], code: str
    ) -> None:
        class Breaking(InProcess):
            def dedupe(self, source: object, request: DedupeRequest) -> DedupeResponse:
                if source.filename == "1.png":
                    raise error
                return super().dedupe(source, request)

        request = UploadRequest(template=WRAP)
        sources = [parts.source(f"{n}.png", encoded(wrap(n))) for n in range(4)]

        result = upload(sources, request, Breaking(parts), parts.settings, parts.executor, 3)

        assert outcomes(result) == ["created", "failed", "created", "created"]
        assert result.outcomes[1].code == code


class TestWhileTheDatabaseIsAway:
    def test_no_file_is_called_unique_and_none_stays_on_the_nas(self, parts: Parts) -> None:
        class Away(InProcess):
            def dedupe(self, *_: object) -> DedupeResponse:
                raise DatabaseUnavailable

        request = UploadRequest(template=WRAP)
        sources = [parts.source("a.png", encoded(wrap(1)))]

        result = upload(sources, request, Away(parts), parts.settings, parts.executor, 3)

        (outcome,) = result.outcomes
        assert (outcome.code, outcome.verdict, outcome.retryable) == (
            "database_unavailable",
            None,
            True,
        )
        assert on_nas(parts) == {}


def test_two_files_are_checked_at_once(parts: Parts) -> None:
    both = threading.Barrier(2)

    class Meeting(InProcess):
        def dedupe(self, source: Source, request: DedupeRequest) -> DedupeResponse:
            both.wait(20)
            return super().dedupe(source, request)

    sources = [parts.source(f"{seed}.png", encoded(wrap(seed))) for seed in (1, 2)]
    request = UploadRequest(template=WRAP)
    room = Room(parts.memory, preparing(parts, request))
    result = upload(sources, request, Meeting(parts), parts.settings, parts.executor, 3, room=room)

    assert outcomes(result) == ["created", "created"]


def test_in_processes_of_their_own_one_is_checked_while_the_other_is_prepared(
    parts: Parts,
) -> None:
    both = threading.Barrier(2)

    class Meeting(InProcess):
        def dedupe(self, source: Source, request: DedupeRequest) -> DedupeResponse:
            if source.filename == "2.png":
                both.wait(20)
            return super().dedupe(source, request)

        def process(self, source: Source, request: ProcessRequest) -> ProcessResponse:
            if source.filename == "1.png":
                both.wait(20)
            return super().process(source, request)

    sources = [parts.source(f"{seed}.png", encoded(wrap(seed))) for seed in (1, 2)]
    request = UploadRequest(template=WRAP)
    result = upload(sources, request, Meeting(parts), parts.settings, parts.executor, 3)

    assert outcomes(result) == ["created", "created"]


class TestTwentyUploadsAtOnce:
    def test_of_one_picture_leave_one_row_and_one_file(self, parts: Parts) -> None:
        file = ("wrap.png", encoded(wrap(1, 400, 182)))

        with ThreadPoolExecutor(20) as racers:
            futures = [racers.submit(take_in, parts, file) for _ in range(20)]
            done = [future.result().outcomes[0].outcome for future in futures]

        assert sorted(done) == ["created"] + ["duplicate"] * 19
        assert len(rows(parts)) == len(on_nas(parts)) == 1
        assert list(parts.nas.list(".platen")) == []

    def test_of_different_pictures_take_twenty_numbers(self, parts: Parts) -> None:
        files = [(f"{seed}.png", encoded(wrap(seed, 400, 182))) for seed in range(20)]

        with ThreadPoolExecutor(20) as racers:
            futures = [racers.submit(take_in, parts, file) for file in files]
            names = {future.result().designs[0].filename for future in futures}

        assert names == {f"UV_{number:03d}.png" for number in range(1, 21)} == set(on_nas(parts))
        for row in rows(parts):
            assert hashlib.sha256(on_nas(parts)[row.filename]).hexdigest() == row.file_sha256


class TestEvents:
    def test_tell_the_steps_and_each_outcome_in_order(self, parts: Parts) -> None:
        events: list[Event] = []
        steps: list[tuple[int, str]] = []
        sources = [parts.source(f"{seed}.png", encoded(wrap(seed))) for seed in (1, 2)]

        upload(
            sources,
            UploadRequest(template=WRAP),
            InProcess(parts),
            parts.settings,
            parts.executor,
            3,
            progress_callback=lambda step, message: steps.append((step, message)),
            on_event=events.append,
        )

        assert steps == [
            (0, "Checking for duplicates using database indexes"),
            (1, "Processing and formatting images (1/2)"),
            (1, "Processing and formatting images (2/2)"),
        ]
        assert [event.event for event in events] == [
            "progress",
            "progress",
            "outcome",
            "progress",
            "outcome",
        ]


def test_the_setting_of_effort_makes_smaller_print_files(parts: Parts) -> None:
    file = ("slogan.png", encoded(text("Best Dad Ever")))
    (fast,) = take_in(parts, file, user_id="fast", shop="Fast").designs
    frugal = Parts(parts.settings.model_copy(update={"png_effort": Effort.SMALL}))

    (small,) = take_in(frugal, file, user_id="small", shop="Small").designs

    frugal.close()
    assert small.print_file.size < fast.print_file.size
