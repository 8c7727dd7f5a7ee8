"""A source reads no more than it may, makes each thing once, and lets go of what is large."""

from __future__ import annotations

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from shared.admission import Memory
from shared.errors import FileTooLarge, FileUnreadable
from shared.flows.source import Source
from shared.imaging.decode import Artwork, decode
from shared.imaging.limits import Limits
from tests.draw import encoded, wrap

LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000, max_side=10_000)
DATA = encoded(wrap(1, 600, 274))


def allocated(source: Source) -> int:
    """Most bytes held at once while a source's artwork is made, or refused."""
    tracemalloc.start()
    try:
        with pytest.raises(FileTooLarge):
            _ = source.artwork
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestAFileOverTheLimit:
    def test_is_refused_with_its_size_before_it_is_read(self, tmp_path: Path) -> None:
        large = tmp_path / "large.png"
        with large.open("wb") as file:
            file.truncate(3_000_000_000)

        with pytest.raises(FileTooLarge, match=r"3000\.0 MB"):
            _ = Source("large.png", large, LIMITS).sha256
        assert allocated(Source("large.png", large, LIMITS)) < 2 * LIMITS.max_bytes

    @pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero here")
    def test_is_refused_even_where_it_has_no_end_and_tells_no_size(self) -> None:
        assert allocated(Source("zero", Path("/dev/zero"), LIMITS)) < 4 * LIMITS.max_bytes


class TestASource:
    def test_reads_a_file_of_just_the_limit(self, tmp_path: Path) -> None:
        file = tmp_path / "a.png"
        file.write_bytes(bytes(LIMITS.max_bytes))

        assert len(Source("a.png", file, LIMITS).data) == LIMITS.max_bytes

    @pytest.mark.parametrize("name", [".", "gone.png", "a.png/b.png"])
    def test_of_what_is_no_file_says_so(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "a.png").write_bytes(DATA)

        with pytest.raises(FileUnreadable):
            _ = Source("a.png", tmp_path / name, LIMITS).data

    def test_makes_each_thing_once_until_it_is_released(self) -> None:
        source = Source("a.png", DATA, LIMITS)
        artwork = source.artwork

        assert source.artwork is artwork
        source.release()
        assert source.artwork is not artwork

    def test_holds_little_once_it_is_released(self, tmp_path: Path) -> None:
        file = tmp_path / "a.png"
        file.write_bytes(DATA)
        source = Source("a.png", file, LIMITS)
        _ = source.sha256, source.fingerprint, source.normal_form

        source.release()

        assert len(pickle.dumps(source.__dict__)) < 8_192

    def test_sent_to_another_process_takes_no_pixels_along(self, tmp_path: Path) -> None:
        file = tmp_path / "a.png"
        file.write_bytes(DATA)
        source = Source("a.png", file, LIMITS)
        prints = source.fingerprint

        sent = pickle.dumps(source)

        assert len(sent) < 1_000
        assert pickle.loads(sent).fingerprint == prints  # noqa: S301 - our own bytes


def test_two_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its own thread: none waits for another's artwork."""
    both = Barrier(2)

    def meet(*_: object, **__: object) -> Artwork:
        both.wait(30)
        return decode(DATA, LIMITS)

    monkeypatch.setattr("shared.flows.source.decode", meet)
    sources = [Source(name, DATA, LIMITS) for name in ("one.png", "two.png")]
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda source: source.artwork, sources))
    assert [source.artwork for source in sources] == made


def test_the_decoder_is_given_what_memory_there_is_to_spare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[object] = []
    monkeypatch.setattr("shared.flows.source.decode", lambda *all_: given.append(all_[2]))
    spare = Memory(1000).take_beside
    source = Source("a.png", DATA, LIMITS, spare)
    _ = source.artwork, pickle.loads(pickle.dumps(source)).artwork  # noqa: S301 - our own
    assert given == [spare, None]
