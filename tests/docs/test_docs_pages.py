"""What the documents point to is there, and the pages that follow a form keep it."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.docs_markdown import ROOT, codes, documents, read

PAGES = [str(path.relative_to(ROOT)) for path in documents()]
DECISIONS = [page for page in PAGES if page.startswith("docs/decisions/")]
FOLDERS = ("benchmarks/", "docs/", "functions/", "infra/", "shared/", "tests/")
PARTS = ["Context", "Choice", "What was measured", "What would change our mind"]
CHANGES = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", read(page))
    local = [link for link in links if not link.startswith("https://")]

    assert [link for link in local if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_of_the_project_that_is_named_exists(page: str) -> None:
    named = [code for code in codes(read(page)) if code.startswith(FOLDERS)]

    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_is_run_exists(page: str) -> None:
    modules = re.findall(r"python -m ((?:shared|infra|benchmarks)[.\w]*)", read(page))

    assert [name for name in modules if find_spec(name) is None] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_decision_that_is_named_exists(page: str) -> None:
    named = re.findall(r"decision (\d{3})", read(page))

    assert [
        number for number in named if not list(ROOT.glob(f"docs/decisions/{number}-*.md"))
    ] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(Path(page).name[:3]) for page in DECISIONS]

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", DECISIONS)
def test_a_decision_has_its_four_parts_under_its_number_and_title(page: str) -> None:
    title, *parts = re.findall(r"^#+ (.+)$", read(page), re.MULTILINE)

    assert title.startswith(f"{Path(page).name[:3]}: ")
    assert parts == PARTS


@pytest.mark.parametrize("page", DECISIONS)
def test_a_decision_fits_on_a_page(page: str) -> None:
    assert len(read(page).splitlines()) <= 100


def test_the_changelog_starts_with_what_is_not_released_and_keeps_its_form() -> None:
    headings = re.findall(r"^(##+) (.+)$", read("CHANGELOG.md"), re.MULTILINE)

    versions = [title for level, title in headings if level == "##"]
    assert versions[0] == "[Unreleased]"
    dated = re.compile(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}")
    assert [version for version in versions[1:] if not dated.fullmatch(version)] == []
    assert {title for level, title in headings if level == "###"} <= CHANGES


def test_the_licence_is_mit() -> None:
    assert read("LICENSE").startswith("MIT License\n")
