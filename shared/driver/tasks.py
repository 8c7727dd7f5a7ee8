"""The work that is handed to an executor: values in, values out, and nothing but a file's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.driver.transports import Transport
from shared.errors import PlatenError
from shared.flows.source import Source
from shared.messages import (
    DedupeRequest,
    DedupeResponse,
    Finding,
    Judging,
    PersistRequest,
    Problem,
    ProcessRequest,
    ProcessResponse,
    UploadRequest,
)
from shared.records import Template


def check(
    transport: Transport, source: Source, request: UploadRequest, key: str, at: int
) -> DedupeResponse | Problem:
    """Ask dedupe about the file at position ``at``. What is wrong with it is the answer."""
    try:
        return transport.dedupe(
            source,
            DedupeRequest(
                **_judging(request),
                template=request.template,
                idempotency_key=key,
                first_position=at,
                normal_form=not request.check_only,
            ),
        )
    except PlatenError as error:
        return Problem.of(error)


def prepare(
    transport: Transport, source: Source, request: ProcessRequest
) -> ProcessResponse | Problem:
    """Have process stage the file's print file. What is wrong with it is the answer."""
    try:
        return transport.process(source, request)
    except PlatenError as error:
        return Problem.of(error)


def process_request(request: UploadRequest, template: Template, design_id: UUID) -> ProcessRequest:
    return ProcessRequest(
        user_id=request.user_id,
        shop=request.shop,
        template=template,
        digital=request.digital,
        design_id=design_id,
        normal_form=False,
    )


def persist_request(
    request: UploadRequest, template: Template, finding: Finding, processed: ProcessResponse
) -> PersistRequest:
    match = finding.match
    return PersistRequest(
        **_judging(request),
        design_id=finding.design_id,
        template=template.name,
        digital=request.digital,
        filename=finding.file,
        upload_sha256=processed.upload_sha256,
        print_file=processed.print_file,
        preflight=processed.preflight,
        normal_form=finding.normal_form,
        allow_duplicate=allows(request, finding.position),
        beside=match.design_id if match else None,
    )


def allows(request: UploadRequest, position: int) -> bool:
    """Whether the seller wants the file at a position filed whatever it is found to be."""
    allowed = request.allow_duplicate
    return allowed if isinstance(allowed, bool) else position in allowed


def _judging(request: Judging) -> dict[str, Any]:
    """The fields that a step's request has in common with the upload's."""
    return {name: getattr(request, name) for name in Judging.model_fields}
