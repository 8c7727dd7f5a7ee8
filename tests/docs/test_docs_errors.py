"""``docs/errors.md`` lists every error, as the code has it."""

from __future__ import annotations

from collections.abc import Iterator

from shared.endpoint import status_of
from shared.errors import PlatenError, StepFailed
from shared.messages import Done, Failure
from tests.docs.docs_markdown import blocks, codes, read, tables

PAGE = read("docs/errors.md")
OUTCOMES = [row for row in tables(PAGE, "Code") if "Outcome" in row]
ERRORS = [row for row in tables(PAGE, "Code") if "Status" in row]


def raised(parent: type[PlatenError] = PlatenError) -> Iterator[type[PlatenError]]:
    """Every class of the family that is raised itself: those with a code of their own."""
    for child in parent.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from raised(child)


def status(error: type[PlatenError]) -> int:
    return status_of(error.__new__(error))


def test_every_error_is_listed_once_with_its_status_and_whether_it_is_retryable() -> None:
    expected = sorted(
        (error.code, str(status(error)), "yes" if error.retryable else "no") for error in raised()
    )

    listed = sorted((codes(row["Code"])[0], row["Status"], row["Retryable"]) for row in ERRORS)

    assert listed == expected


def test_codes_are_unique() -> None:
    found = [error.code for error in raised()]

    assert len(found) == len(set(found))


def test_every_error_has_a_meaning_and_advice() -> None:
    assert all(row["Meaning"].endswith(".") and row["What to do"].endswith(".") for row in ERRORS)


def test_the_example_is_a_body_as_functions_answer_it() -> None:
    (example,) = blocks(PAGE, "json")

    failure = Failure.model_validate_json(example)

    unknown = next(error for error in raised() if error.code == failure.code)
    assert failure.message == unknown(name="Mug 11oz").message
    assert failure.retryable is unknown.retryable


def test_the_outcomes_are_outcomes() -> None:
    assert {codes(row["Outcome"])[0] for row in OUTCOMES} <= {done.value for done in Done}


def test_a_functions_own_code_stands_in_place_of_the_steps() -> None:
    assert StepFailed("nas_full", "The NAS is full.", True).code == "nas_full"
