"""``docs/workflow.md`` maps all of the original workflow to names, lines and messages we have."""

from __future__ import annotations

import ast
import re
from functools import cache
from uuid import UUID

import pytest
import sqlalchemy as sa

from shared.database.engine import create
from shared.driver.progress import Report
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.messages import Done, Finding, Outcome, UploadRequest
from shared.records import Match, State, Tier, Verdict
from shared.wiring import Parts
from tests.docs.docs_markdown import ROOT, codes, read, tables
from tests.draw import encoded, wrap

PAGE = read("docs/workflow.md")
ROWS = tables(PAGE, "Original")
MAPPED = [row for row in ROWS if "What differs, and why" in row]

ORIGINAL = [
    "_create_design_original",
    "process_image_physical",
    "process_image_digital",
    "save_single_image",
    "cv2.imencode",
    "nas_storage.upload_file",
    "nas_storage.upload_file_content",
    "check_duplicate_in_database",
    "check_hamming_distance_in_database",
    "calculate_multiple_hashes",
    "build_hash_db",
    "list_images_in_dir",
    "check_for_duplicate",
    "progress_callback",
    "DesignImages",
    "add_phash_indexes",
]
"""Every function and class that the original workflow's description names."""

REFERENCE = re.compile(r"`([\w/]+\.py)`: ((?:`[\w.]+`(?:, )?)+)")


@cache
def names(path: str) -> frozenset[str]:
    """What a module defines at its top, and its classes' own as ``Class.name``."""
    found: set[str] = set()
    for node in ast.parse(read(path)).body:
        found |= defined(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for member in node.body for name in defined(member)}
    return frozenset(found)


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    flat = [name for target in targets for name in ast.walk(target or ast.Pass())]
    return {name.id for name in flat if isinstance(name, ast.Name)}


def test_every_function_that_the_original_names_is_there() -> None:
    listed = {code for row in MAPPED for code in codes(row["Original"])}

    assert set(ORIGINAL) <= listed


@pytest.mark.parametrize("row", MAPPED, ids=lambda row: row["Original"])
def test_what_it_is_here_exists(row: dict[str, str]) -> None:
    if row["Here"] == "nothing":
        return
    references = REFERENCE.findall(row["Here"])

    assert len(references) == len(row["Here"].split("; "))
    assert [
        f"{path}: {name}"
        for path, listed in references
        for name in codes(listed)
        if not (ROOT / path).is_file() or name not in names(path)
    ] == []


class Heard:
    """What a run of two files, one new and one a copy of it, logs and tells."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.messages: list[tuple[int, str]] = []


@pytest.fixture
def heard(parts: Parts, caplog: pytest.LogCaptureFixture) -> Heard:
    found = Heard()
    data = encoded(wrap(1))
    sources = [parts.source(f"design{n}.png", data) for n in (1, 2)]
    request = UploadRequest(template="UVDTF 16oz")

    def on_progress(step: int, message: str) -> None:
        found.messages.append((step, message))

    with caplog.at_level("INFO", "platen"):
        run = (request, InProcess(parts), parts.settings, parts.executor, 2)
        upload(sources, *run, progress_callback=on_progress)
    found.lines = [r.getMessage() for r in caplog.records if r.name == "platen.driver"]
    return found


def pattern(line: str) -> re.Pattern[str]:
    """A documented line as an expression: ``{8}`` is eight hex digits, other braces any text."""
    pieces = re.split(r"(\{\w+\})", line.replace("UNIQUE", "{answer}"))
    digits = {"{8}": "[0-9a-f]{8}"}
    return re.compile(
        "".join(digits.get(p, ".+") if p.startswith("{") else re.escape(p) for p in pieces)
    )


def test_the_log_has_exactly_the_lines_that_are_listed(heard: Heard) -> None:
    listed = [pattern(codes(row["Original"])[0]) for row in MAPPED if "`Report." in row["Here"]]
    lines = [one for one in listed if any(one.fullmatch(line) for line in heard.lines)]
    messages = [one for one in listed if any(one.fullmatch(m) for _, m in heard.messages)]

    assert len(heard.lines) > len(lines)
    assert [line for line in heard.lines if not any(one.fullmatch(line) for one in listed)] == []
    assert [one.pattern for one in listed if one not in lines + messages] == []


def test_the_messages_have_the_steps_that_are_listed(heard: Heard) -> None:
    steps = {
        pattern(codes(row["Original"])[0]): int(row["What it was"][5])
        for row in MAPPED
        if row["What it was"].startswith("Step ")
    }

    assert len(steps) == 2
    told = {(one.pattern, step) for step, m in heard.messages for one in steps if one.fullmatch(m)}
    assert told == {(one.pattern, step) for one, step in steps.items()}


FOUND = Finding(file="design.png", position=0, design_id=UUID(int=1))
MATCH = Match(
    design_id=UUID(int=2),
    filename="UV_001.png",
    file_path=None,
    state=State.ACTIVE,
    tier=Tier.HAMMING,
    test="likeness",
    distances=None,
)


def test_the_lines_that_are_ours_are_too(caplog: pytest.LogCaptureFixture) -> None:
    sentence = PAGE[PAGE.index("These lines are ours") :].partition("\n\n")[0]
    ours = [pattern(code) for code in codes(sentence) if not code.startswith("Report.")]

    with caplog.at_level("INFO", "platen"):
        report = Report(1)
        report.settled(Outcome(file="design.png", outcome=Done.FAILED, reason="The file is empty."))
        report.fell_back(3, "OSError")
        for verdict in (Verdict.VARIANT, Verdict.SIMILAR):
            report.checked(FOUND, MATCH.model_copy(update={"verdict": verdict}))
        report.overtaken("design.png", MATCH)
        report.waiting("design.png", FOUND.design_id, "a key")

    told = [line for line in caplog.messages if " check completed in " not in line]
    assert len(ours) == len(told)
    assert all(map(re.fullmatch, ours, told))


def test_the_indexes_that_are_named_are_in_the_database(database_url: str) -> None:
    engine = create(database_url, pool=1, timeout_s=10)
    with engine.connect() as connection:
        query = sa.text("SELECT indexname FROM pg_indexes WHERE tablename = 'design_images'")
        found = set(connection.execute(query).scalars())
    engine.dispose()

    named = set(re.findall(r"`(idx_\w+)`", PAGE))
    assert named >= {"idx_design_images_phash", "idx_design_images_user_active"}
    assert named <= found


def test_what_is_to_be_tested_has_its_tests() -> None:
    rows = [row for row in ROWS if "What differs, and why" not in row]

    paths = [path for row in rows for path in codes(row["Here"])]
    assert len(rows) == 4
    assert [path for path in paths if not (ROOT / path).is_file()] == []
