"""rehash: rows from another system become findable, once, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from uuid import UUID

import pytest
from PIL import Image
from test_flows_persist import Job

from shared.driver.serial import SerialExecutor
from shared.errors import DatabaseUnavailable, NasBusy, NasLogin, NasRefused, NasUnavailable
from shared.flows import rehash as rehash_module
from shared.flows.rehash import Rehash, Rehashed
from shared.identity import tenant
from shared.imaging.pipeline import prepare
from shared.imaging.templates import BUILT_IN
from shared.messages import DedupeRequest
from shared.nas.memory import MemoryNas
from shared.records import Fingerprint, FoundFile, Legacy, Template, Verdict
from shared.wiring import Parts
from tests.draw import encoded, text, wrap
from tests.legacy import SELLER, SHOP, ZEROS, file_legacy, rows_of

WRAP = next(template for template in BUILT_IN if template.name == "UVDTF 16oz")
CANVAS = Template(name="Small", width_in=2, height_in=2, canvas_width_in=3, canvas_height_in=3)


def printed(
    parts: Parts, art: Image.Image, template: Template = WRAP, *, digital: bool = False
) -> bytes:
    """The print file of some artwork."""
    artwork = parts.source("art.png", encoded(art)).artwork
    return bytes(prepare(artwork, template, digital=digital, max_side_px=20_000).png)


def small(seed: int) -> bytes:
    """An opaque print file that is hashed fast."""
    return encoded(wrap(seed, 300, 137))


def work(parts: Parts, **own: object) -> Rehash:
    fields = {
        "designs": parts.designs,
        "nas": parts.nas,
        "places": parts.places,
        "limits": parts.image_limits,
        "executor": parts.executor,
        "workers": parts.workers,
    }
    return Rehash(**(fields | own))  # type: ignore[arg-type]


def run(parts: Parts, user: str | None = None, **own: object) -> dict[UUID, Rehashed]:
    told = list(work(parts, **own).run(tenant(user) if user else None))
    by_row = {each.row.design_id: each for each in told}
    assert len(by_row) == len(told), "a row was told of twice"
    return by_row


def verdict(parts: Parts, art: Image.Image, template: str = "UVDTF 16oz") -> object:
    """What dedupe says of an upload, and which design it names."""
    request = DedupeRequest(template=template, user_id=SELLER)
    (found,) = parts.dedupe([parts.source("again.png", encoded(art))], request).files
    return found.verdict, found.match and found.match.design_id


class Changed:
    """An adapter that does some verbs in another way."""

    def __init__(self, real: object, **verbs: Callable[..., object]) -> None:
        self._real = real
        self._verbs = verbs

    def __getattr__(self, verb: str) -> Callable[..., object]:
        return self._verbs.get(verb) or getattr(self._real, verb)


class TestWhatBecomesFindable:
    def test_art_with_alpha_whose_old_hash_was_that_of_all_black_art(self, parts: Parts) -> None:
        art, other = text("Bride to be"), text("Team groom")
        row = file_legacy(parts, printed(parts, art), "UV_001.png", phash=ZEROS)
        assert verdict(parts, art) == (Verdict.UNIQUE, None)

        told = run(parts)

        assert [(each.is_upgraded, each.reason) for each in told.values()] == [(True, None)]
        assert verdict(parts, art) == (Verdict.DUPLICATE, row)
        assert verdict(parts, other) == (Verdict.UNIQUE, None)
        assert not parts.designs.has_legacy(tenant(SELLER))

    def test_art_on_a_canvas(self, parts: Parts) -> None:
        art = text("Bride to be")
        row = file_legacy(parts, printed(parts, art, CANVAS), "UV_001.png")

        run(parts)

        assert verdict(parts, art) == (Verdict.DUPLICATE, row)

    def test_opaque_art(self, parts: Parts) -> None:
        row = file_legacy(parts, printed(parts, wrap(1)), "UV_001.png")
        assert verdict(parts, wrap(1)) == (Verdict.UNIQUE, None)

        run(parts)

        assert verdict(parts, wrap(1)) == (Verdict.DUPLICATE, row)
        assert verdict(parts, wrap(2)) == (Verdict.UNIQUE, None)

    def test_a_digital_design(self, parts: Parts) -> None:
        art = text("Bride to be")
        data = printed(parts, art, digital=True)
        row = file_legacy(parts, data, "Digital_001.png", digital=True)

        run(parts)

        assert verdict(parts, art) == (Verdict.DUPLICATE, row)

    @pytest.mark.parametrize("phash", [None, "", "f0" * 8, "G" * 64])
    def test_a_row_without_a_whole_hash(self, parts: Parts, phash: str | None) -> None:
        row = file_legacy(parts, small(1), "UV_001.png", phash=phash)

        run(parts)

        assert verdict(parts, wrap(1, 300, 137)) == (Verdict.DUPLICATE, row)


class TestWhatIsWritten:
    def test_the_fingerprint_of_the_print_file_without_the_uploads_size(self, parts: Parts) -> None:
        data = printed(parts, text("Bride to be"))
        row = file_legacy(parts, data, "UV_001.png")

        run(parts)

        expected = parts.source("print.png", data).fingerprint
        design = parts.designs.get(tenant(SELLER), row)
        assert design is not None
        assert design.fingerprint == expected.model_copy(
            update={"width_px": None, "height_px": None}
        )

    def test_the_size_too_for_a_digital_design(self, parts: Parts) -> None:
        art = text("Bride to be")
        data = printed(parts, art, digital=True)
        row = file_legacy(parts, data, "Digital_001.png", digital=True)

        run(parts)

        design = parts.designs.get(tenant(SELLER), row)
        assert design is not None
        assert design.fingerprint == parts.source("art.png", encoded(art)).fingerprint

    def test_the_facts_of_the_print_file(self, parts: Parts) -> None:
        data = printed(parts, text("Bride to be"))
        row = file_legacy(parts, data, "UV_001.png")

        run(parts)

        design = parts.designs.get(tenant(SELLER), row)
        assert design is not None
        assert design.print_file is not None
        assert design.print_file.model_dump() == {
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "width_px": 3800,
            "height_px": 1732,
            "dpi": 400,
        }

    def test_what_is_known_of_a_file_that_does_not_tell_its_resolution(self, parts: Parts) -> None:
        row = file_legacy(parts, small(1), "UV_001.png")

        run(parts)

        now = rows_of(parts).read(row)
        told = [now[name] for name in ("file_sha256", "file_size", "width_px", "height_px", "dpi")]
        assert told == [hashlib.sha256(small(1)).hexdigest(), len(small(1)), 300, 137, None]

    def test_its_age_and_place_stay_and_nothing_else_of_the_row_changes(self, parts: Parts) -> None:
        row = file_legacy(parts, small(1), "UV_001.png")
        before = rows_of(parts).read(row)

        run(parts)

        after = rows_of(parts).read(row)
        assert {name for name in before if before[name] != after[name]} == {
            *("fingerprint_version", "phash", "ahash", "dhash", "whash", "index_hash", "signature"),
            *("content_sha256", "is_opaque", "updated_at"),
            *("file_sha256", "file_size", "width_px", "height_px"),
        }
        assert after["updated_at"] > before["updated_at"]

    def test_nothing_of_a_row_of_version_2_nor_of_a_file(self, parts: Parts) -> None:
        Job(parts).run()
        file_legacy(parts, small(2), "UV_001.png")
        new, old = sorted(rows_of(parts).all(), key=lambda row: -row["fingerprint_version"])
        files = {path: path.read_bytes() for path in parts.settings.home.rglob("*.png")}

        assert set(run(parts)) == {old["id"]}

        assert rows_of(parts).read(new["id"]) == new
        assert {path: path.read_bytes() for path in parts.settings.home.rglob("*.png")} == files

    def test_nothing_in_a_dry_run_which_tells_the_same(self, parts: Parts) -> None:
        file_legacy(parts, small(1), "UV_001.png")
        file_legacy(parts, None, "UV_002.png")
        before = rows_of(parts).all()

        dry = {each.row: each for each in work(parts).run(None, dry_run=True)}

        assert rows_of(parts).all() == before
        assert dry == {each.row: each for each in run(parts).values()}


class TestWhoseRows:
    def test_are_everybodys_or_one_users(self, parts: Parts) -> None:
        mine = file_legacy(parts, small(1), "UV_001.png", user="anna")
        others = file_legacy(parts, small(2), "UV_002.png", user="bert")

        assert set(run(parts, "anna")) == {mine}
        assert rows_of(parts).read(others)["fingerprint_version"] == 1
        assert set(run(parts)) == {others}

    def test_are_those_that_the_seller_has_not_removed(self, parts: Parts) -> None:
        file_legacy(parts, small(1), "UV_001.png", active=False)

        assert run(parts) == {}
        assert rows_of(parts).versions() == [1]


def damaged() -> bytes:
    data = bytearray(small(1))
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def animated() -> bytes:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


class TestWhatStays:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (None, "The file can't be read: it is not on the NAS."),
            (b"", "The file is empty."),
            (damaged(), "The image is damaged or cut short: its pixels can't be decoded."),
            (small(1)[:-40], "The image is damaged or cut short: a chunk is longer than the file."),
            (b"Not a picture.", "The file is not a PNG, JPEG, WebP, TIFF or BMP image"),
            (animated(), "The image has several frames or pages"),
            (encoded(Image.new("RGBA", (30, 20))), "The image is fully transparent"),
        ],
        ids=["missing", "empty", "damaged", "cut", "text", "animated", "transparent"],
    )
    def test_a_row_whose_file_can_not_be_hashed_and_the_others_go_on(
        self, parts: Parts, content: bytes | None, reason: str
    ) -> None:
        bad = file_legacy(parts, content, "UV_001.png")
        others = {file_legacy(parts, small(seed), f"UV_{seed}.png") for seed in range(2, 6)}
        before = rows_of(parts).read(bad)

        told = run(parts)

        assert {row for row, each in told.items() if each.is_upgraded} == others
        assert (told[bad].reason or "").startswith(reason)
        assert rows_of(parts).read(bad) == before

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "/",
            "/share/Graphics",
            "/share/Graphics/../secret.png",
            "/share/Graphics2/UV_001.png",
            "/etc/passwd",
            r"C:\Designs\UV_001.png",
            "NookTransfers/OldShop/UV_001.png",
        ],
    )
    def test_a_row_whose_path_lies_outside_the_share(self, parts: Parts, path: str) -> None:
        row = rows_of(parts).add(path)

        told = run(parts)[row]

        assert not told.is_upgraded
        assert "can't be used as a name on the NAS" in (told.reason or "")
        assert rows_of(parts).versions() == [1]

    def test_a_row_whose_file_is_too_large_which_is_not_read(self, parts: Parts) -> None:
        row = file_legacy(parts, small(1), "UV_001.png")
        limits = rehash_module.Limits(max_bytes=len(small(1)) - 1, max_pixels=10**6, max_side=10**4)

        def read(path: str) -> bytes:
            pytest.fail(f"{path} was read")

        told = run(parts, limits=limits, nas=Changed(parts.nas, read=read))[row]

        assert "MB are allowed" in (told.reason or "")
        assert rows_of(parts).versions() == [1]

    def test_a_row_whose_picture_has_too_many_pixels(self, parts: Parts) -> None:
        row = file_legacy(parts, small(1), "UV_001.png")
        limits = rehash_module.Limits(max_bytes=10**8, max_pixels=300 * 137 - 1, max_side=10**4)

        assert (run(parts, limits=limits)[row].reason or "").startswith("The image is 300 x 137 px")

    def test_a_row_under_whose_path_a_design_of_version_2_is_filed(self, parts: Parts) -> None:
        filed = Job(parts).run().response.design
        row = rows_of(parts).add(
            filed.file_path.upper().replace("/SHARE/GRAPHICS", "/share/Graphics")
        )
        place = parts.places.relative(rows_of(parts).read(row)["file_path"])
        parts.nas.create(place, small(2))

        assert run(parts)[row].reason == "Another design is filed under this path."
        assert rows_of(parts).read(row)["fingerprint_version"] == 1

    def test_all_rows_of_one_path_but_the_first(self, parts: Parts) -> None:
        one = file_legacy(parts, small(1), "UV_001.png")
        two = rows_of(parts).add(f"{SHOP}/UVDTF 16oz/UV_001.png")

        told = run(parts)

        assert sorted(told[row].is_upgraded for row in (one, two)) == [False, True]
        assert {told[row].reason for row in (one, two)} == {
            None,
            "Another design is filed under this path.",
        }

    @pytest.mark.parametrize("error", [NasBusy, NasRefused])
    def test_a_row_whose_file_the_nas_does_not_give(
        self, parts: Parts, error: type[Exception]
    ) -> None:
        held = file_legacy(parts, small(1), "held.png")
        other = file_legacy(parts, small(2), "other.png")

        def read(path: str) -> bytes | None:
            if path.endswith("held.png"):
                raise error
            return parts.nas.read(path)

        told = run(parts, nas=Changed(parts.nas, read=read))

        assert told[held].reason == str(error())
        assert told[other].is_upgraded


class TestWhatEndsARun:
    @pytest.mark.parametrize("error", [NasUnavailable, NasLogin])
    def test_a_nas_that_is_away_and_the_next_run_goes_on(
        self, parts: Parts, error: type[Exception]
    ) -> None:
        rows = [
            file_legacy(parts, small(number), f"{number}.png", design_id=UUID(int=number))
            for number in range(6)
        ]

        def read(path: str) -> bytes | None:
            if path.endswith("3.png"):
                raise error
            return parts.nas.read(path)

        with pytest.raises(error):
            run(parts, nas=Changed(parts.nas, read=read))

        assert rows_of(parts).versions() == [2, 2, 2, 1, 1, 1]
        assert list(run(parts)) == rows[3:]

    def test_a_database_that_is_away_and_the_next_run_goes_on(self, parts: Parts) -> None:
        rows = [
            file_legacy(parts, small(number), f"{number}.png", design_id=UUID(int=number))
            for number in range(4)
        ]

        def upgrade(row: Legacy, prints: Fingerprint, file: FoundFile) -> bool:
            if row.design_id == rows[2]:
                raise DatabaseUnavailable
            return parts.designs.upgrade(row, prints, file)

        with pytest.raises(DatabaseUnavailable):
            run(parts, designs=Changed(parts.designs, upgrade=upgrade))

        assert rows_of(parts).versions() == [2, 2, 1, 1]
        assert list(run(parts)) == rows[2:]

    def test_being_cut_off_leaves_no_task_behind_and_the_next_run_goes_on(
        self, parts: Parts
    ) -> None:
        rows = [
            file_legacy(parts, small(number), f"{number}.png", design_id=UUID(int=number))
            for number in range(9)
        ]
        under_way: set[str] = set()

        def read(path: str) -> bytes | None:
            under_way.add(path)
            time.sleep(0.1)
            under_way.remove(path)
            return parts.nas.read(path)

        with closing(work(parts, nas=Changed(parts.nas, read=read)).run(None)) as told:
            assert [next(told).row.design_id for _ in range(2)] == rows[:2]

        assert under_way == set()
        assert rows_of(parts).versions() == [2, 2, *[1] * 7]
        assert list(run(parts)) == rows[2:]


class TestAgain:
    def test_a_second_run_has_nothing_to_do(self, parts: Parts) -> None:
        file_legacy(parts, printed(parts, text("Bride to be")), "UV_001.png")
        run(parts)
        before = rows_of(parts).all()

        assert run(parts) == {}
        assert rows_of(parts).all() == before

    def test_two_runs_at_once_upgrade_each_row_once(self, parts: Parts) -> None:
        rows = {file_legacy(parts, small(seed), f"{seed}.png") for seed in range(8)}
        together = threading.Barrier(2)

        def legacy(*args: object, **options: object) -> list[Legacy]:
            page = parts.designs.legacy(*args, **options)  # type: ignore[arg-type]
            if page:
                together.wait(30)  # both have the same rows before them
            return page

        shared_out = Changed(parts.designs, legacy=legacy)
        with ThreadPoolExecutor(2) as threads:
            runs = [
                threads.submit(run, parts, designs=shared_out, executor=SerialExecutor())
                for _ in range(2)
            ]
            one, two = (each.result() for each in runs)

        assert set(one) == set(two) == rows
        assert all(one[row].is_upgraded != two[row].is_upgraded for row in rows)
        assert {each.reason for each in [*one.values(), *two.values()]} == {None}
        assert rows_of(parts).versions() == [2] * len(rows)

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE design_images SET is_active = false",
            "UPDATE design_images SET file_path = '/share/Graphics/NookTransfers/moved.png'",
            "UPDATE design_images SET user_id = '00000000-0000-4000-8000-0000000000aa'",
            "DELETE FROM design_images",
        ],
    )
    def test_a_row_that_changes_while_its_file_is_read_stays(
        self, parts: Parts, change: str
    ) -> None:
        row = file_legacy(parts, small(1), "UV_001.png")
        rows_of(parts).do("INSERT INTO users (id) VALUES ('00000000-0000-4000-8000-0000000000aa')")

        def read(path: str) -> bytes | None:
            rows_of(parts).do(change)
            return parts.nas.read(path)

        told = run(parts, nas=Changed(parts.nas, read=read))[row]

        assert (told.is_upgraded, told.reason) == (False, None)
        assert 2 not in rows_of(parts).versions()


class TestALibraryOfAnySize:
    def test_is_walked_through_page_by_page(
        self, parts: Parts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rehash_module, "PAGE", 3)
        rows = [file_legacy(parts, small(seed), f"{seed}.png") for seed in range(6)]
        missing = [file_legacy(parts, None, f"none {seed}.png") for seed in range(5)]

        told = run(parts)

        assert sorted(told) == list(told) == sorted([*rows, *missing])
        assert {row for row, each in told.items() if each.is_upgraded} == set(rows)

    def test_has_no_more_files_under_way_than_the_workers_need(self, parts: Parts) -> None:
        rows_of(parts).add(f"{SHOP}/none.png")
        (row,) = parts.designs.legacy(None, after=None, limit=9)
        listed = iter([[row] * 1_000])
        started = 0

        class Counting(SerialExecutor):
            def submit(self, *args: object, **options: object) -> Future[object]:  # type: ignore[override]
                nonlocal started
                started += 1
                return super().submit(*args, **options)  # type: ignore[arg-type]

        def legacy(*_args: object, **_options: object) -> list[Legacy]:
            return next(listed, [])

        once = work(
            parts, designs=Changed(parts.designs, legacy=legacy), executor=Counting(), workers=3
        )
        told: Iterator[Rehashed] = once.run(None)
        for finished, _ in enumerate(told, start=1):
            assert started <= finished + 6
        assert (started, finished) == (1_000, 1_000)


def test_any_store_will_do(parts: Parts) -> None:
    nas, art = MemoryNas(), text("Bride to be")
    row = rows_of(parts).add(f"{SHOP}/UV_001.png")
    nas.create("NookTransfers/OldShop/UV_001.png", printed(parts, art))

    assert run(parts, nas=nas)[row].is_upgraded
    assert verdict(parts, art) == (Verdict.DUPLICATE, row)
