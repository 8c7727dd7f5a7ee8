"""Memory is given out before it is used, in turn, and never more than there is."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import pytest

from shared import admission
from shared.admission import Memory, budget
from shared.errors import Busy

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0


class TestAShare:
    def test_is_given_back_at_the_end_and_only_once(self) -> None:
        memory = Memory(100)

        with memory.take(60) as share:
            assert memory.take_at_once(41) is None
        share.release()

        whole = memory.take_at_once(100)
        assert whole is not None
        assert memory.take_at_once(1) is None

    def test_is_given_back_where_the_work_fails(self) -> None:
        memory = Memory(100)

        with pytest.raises(ZeroDivisionError), memory.take(100):
            raise ZeroDivisionError

        assert memory.take_at_once(100) is not None

    def test_that_is_not_free_is_waited_for_and_then_refused(self) -> None:
        memory = Memory(100)
        memory.take(60)
        started = time.monotonic()

        with pytest.raises(Busy):
            memory.take(50, 0.2)

        assert time.monotonic() - started >= 0.2
        assert memory.take_at_once(40) is not None  # who gave up is in nobody's way

    def test_that_becomes_free_meanwhile_is_given(self) -> None:
        memory = Memory(100)
        held = memory.take(60)
        with ThreadPoolExecutor(1) as executor:
            waiting = executor.submit(memory.take, 50, WAIT_S)
            while share := memory.take_at_once(1):
                share.release()
                time.sleep(0.01)  # until somebody waits, who is not passed by
            held.release()
            assert waiting.result().size == 50

    def test_beside_others_is_given_where_there_are_others(self) -> None:
        memory = Memory(100)
        with memory.take(10), memory.take(0):
            assert memory.take_beside(1) is None
            with memory.take(10) as second:
                assert memory.take_beside(81) is None
                with memory.take_beside(80) or pytest.fail("it is free"):
                    assert memory.take_at_once(1) is None
                second.release()
            assert memory.take_beside(1) is None
        assert memory.take_at_once(100) is not None

    def test_of_nothing_waits_for_nobody(self) -> None:
        memory = Memory(100)
        memory.take(100)
        assert memory.take(0, 0).size == 0

    def test_over_the_budget_is_all_there_is(self) -> None:
        memory = Memory(100)
        assert memory.take(1000).size == 100
        assert memory.take_at_once(1) is None

    def test_is_never_part_of_more_than_there_is_and_everybody_gets_one(self) -> None:
        memory, lock, out, most = Memory(100), Lock(), 0, 0

        def work(seed: int) -> None:
            nonlocal out, most
            for _ in range(30):
                need = random.Random(seed).randint(1, 100)  # noqa: S311 - no secret
                with memory.take(need, WAIT_S):
                    with lock:
                        out += need
                        most = max(most, out)
                    time.sleep(0.0005)
                    with lock:
                        out -= need

        with ThreadPoolExecutor(12) as executor:
            list(executor.map(work, range(12)))

        assert 0 < most <= 100
        assert memory.take_at_once(100) is not None


class TestTheBudget:
    @pytest.fixture
    def groups(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A process in the control group /a/b, none of them with a limit."""
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "own").write_text("0::/a/b\n")
        monkeypatch.setattr(admission, "_CGROUP", tmp_path)
        monkeypatch.setattr(admission, "_OWN_CGROUPS", tmp_path / "own")
        monkeypatch.setattr(admission, "_V1", tmp_path / "none")
        return tmp_path

    @pytest.mark.parametrize("place", ["memory.max", "a/memory.max", "a/b/memory.max"])
    def test_is_a_part_of_what_the_nearest_control_group_allows(
        self, groups: Path, place: str
    ) -> None:
        free = budget()
        (groups / "a" / "memory.max").write_text("max\n")
        assert budget() == free

        (groups / place).write_text("100000000\n")

        assert budget() == 60_000_000

    def test_is_a_part_of_the_machines_memory_where_nothing_is_limited(self, groups: Path) -> None:
        machine = int(Path("/proc/meminfo").read_text().partition("MemTotal:")[2].split()[0])
        if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
            assert groups.exists()
            assert budget() == pytest.approx(machine * 1024 * 0.6, rel=0.1)

    @pytest.mark.parametrize(("limit", "least", "most"), [(2000, 600, 1200), (400, 0, 200)])
    def test_leaves_addresses_for_what_is_mapped(self, limit: int, least: int, most: int) -> None:
        code = (
            f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({limit}_000_000, -1));"
            "from shared.admission import budget; print(budget())"
        )
        child = subprocess.run(  # noqa: S603 - this interpreter, the code above
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
        )
        assert least <= int(child.stdout) / 1_000_000 <= most
