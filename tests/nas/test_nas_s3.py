"""What the S3 store holds beyond the contract, on moto's server and on one that misbehaves."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("boto3")
pytest.importorskip("moto")

from botocore import exceptions as foreign
from botocore.parsers import ResponseParserError
from nas_moto import BUCKET, moto_server
from nas_stores import aws_account, waiting

from shared.errors import (
    NameTaken,
    NasError,
    NasFull,
    NasLogin,
    NasQuota,
    NasRefused,
    NasReplaces,
    NasShareUnknown,
    NasUnavailable,
    StagedFileMissing,
)
from shared.nas import aws
from shared.nas.bucket import PART, Bucket
from shared.nas.s3 import S3Nas, open_s3
from shared.settings import SettingsInvalid

PATH = "Shop/UV_001.png"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as endpoint, aws_account():
        yield endpoint


@pytest.fixture(scope="module")
def client(endpoint: str) -> Any:
    return aws.client(f"s3://{BUCKET}?endpoint={endpoint}", 60)


class Changed:
    """A client of which some calls are other ones."""

    def __init__(self, client: Any, **calls: Callable[..., Any]) -> None:
        self._client = client
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.get(name) or getattr(self._client, name)


def answer(code: str, status: int) -> foreign.ClientError:
    facts = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return foreign.ClientError(facts, "Operation")


def test_the_prefix_of_the_address_is_the_share(endpoint: str, client: Any) -> None:
    folder = f"two words/{uuid4()}"
    nas = open_s3(f"s3://{BUCKET}/{folder.replace(' ', '%20')}/?endpoint={endpoint}", timeout_s=60)
    nas.create(PATH, b"x")
    assert client.get_object(Bucket=BUCKET, Key=f"{folder}/{PATH}")["Body"].read() == b"x"
    assert [entry.path for entry in nas.list("Shop")] == [PATH]


def test_without_a_prefix_the_bucket_is_the_share(endpoint: str) -> None:
    nas = open_s3(f"s3://{BUCKET}?endpoint={endpoint}", timeout_s=60)
    path = f"{uuid4()}/x.png"
    nas.create(path, b"x")
    assert nas.read(path) == b"x"


def test_objects_are_png_with_a_sha256_that_s3_checks(client: Any) -> None:
    sent: list[dict[str, Any]] = []

    def put(**request: Any) -> Any:
        sent.append(request)
        return client.put_object(**request)

    Bucket(Changed(client, put_object=put), BUCKET).put(key := str(uuid4()), b"abc")
    assert sent[0]["ChecksumSHA256"] == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    assert client.head_object(Bucket=BUCKET, Key=key)["ContentType"] == "image/png"


@pytest.mark.parametrize(("size", "parts"), [(PART, 0), (PART + 1, 2), (2 * PART, 2)])
def test_what_is_larger_than_a_part_goes_in_parts(client: Any, size: int, parts: int) -> None:
    sent: list[int] = []

    def upload_part(**request: Any) -> Any:
        sent.append(len(request["Body"]))
        return client.upload_part(**request)

    nas = S3Nas(Bucket(Changed(client, upload_part=upload_part), BUCKET), str(uuid4()))
    nas.create(PATH, bytes(size))
    assert len(sent) == parts
    assert sum(sent) in (0, size)
    entry = nas.stat(PATH)
    assert entry is not None
    assert entry.size == size


def test_an_upload_that_fails_half_way_is_taken_back(client: Any) -> None:
    def upload_part(**request: Any) -> Any:
        if request["PartNumber"] == 2:
            raise answer("InternalError", 500)
        return client.upload_part(**request)

    prefix = str(uuid4())
    nas = S3Nas(Bucket(Changed(client, upload_part=upload_part), BUCKET), prefix)
    with pytest.raises(NasUnavailable):
        nas.create(PATH, bytes(2 * PART))
    assert nas.stat(PATH) is None
    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix)


def test_a_refused_publish_leaves_no_upload_behind(client: Any) -> None:
    prefix = str(uuid4())
    nas = S3Nas(Bucket(client, BUCKET), prefix)
    nas.create(PATH, b"x")
    with pytest.raises(StagedFileMissing):
        nas.publish(waiting(uuid4()), "Shop/UV_002.png")
    design_id = uuid4()
    nas.create(waiting(design_id), b"y")
    with pytest.raises(NameTaken):
        nas.publish(waiting(design_id), PATH)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix)


@pytest.mark.parametrize("call", ["put_object", "complete_multipart_upload"])
def test_a_write_whose_answer_was_lost_finds_its_own_object(client: Any, call: str) -> None:
    def twice(**request: Any) -> Any:
        getattr(client, call)(**request)
        # What the driver does when the first answer never came.
        return getattr(client, call)(**request)

    bucket = Bucket(Changed(client, **{call: twice}), BUCKET)
    source, target = f"{uuid4()}/source.png", f"{uuid4()}/target.png"
    bucket.put(source, b"x")
    bucket.copy(source, target)
    for key in (source, target):
        assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"x"
        with pytest.raises(NameTaken):
            bucket.put(key, b"y")


def test_a_completed_upload_that_is_unknown_when_asked_again_is_found(client: Any) -> None:
    def complete(**request: Any) -> Any:
        client.complete_multipart_upload(**request)
        raise answer("NoSuchUpload", 404)

    bucket = Bucket(Changed(client, complete_multipart_upload=complete), BUCKET)
    bucket.put(source := str(uuid4()), b"x")
    bucket.copy(source, target := str(uuid4()))
    assert client.get_object(Bucket=BUCKET, Key=target)["Body"].read() == b"x"


def test_an_upload_that_vanished_is_an_error_and_no_success(client: Any) -> None:
    def complete(**_request: Any) -> Any:
        raise answer("NoSuchUpload", 404)

    bucket = Bucket(Changed(client, complete_multipart_upload=complete), BUCKET)
    bucket.put(source := str(uuid4()), b"x")
    with pytest.raises(foreign.ClientError, match="NoSuchUpload"):
        bucket.copy(source, str(uuid4()))


def test_a_write_that_meets_another_one_is_sent_again(client: Any) -> None:
    conflicts = iter([True, True, False])

    def put(**request: Any) -> Any:
        if next(conflicts):
            raise answer("ConditionalRequestConflict", 409)
        return client.put_object(**request)

    Bucket(Changed(client, put_object=put), BUCKET).put(key := str(uuid4()), b"x")
    assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"x"


def test_a_write_that_always_meets_another_one_gives_up(client: Any) -> None:
    attempts: list[None] = []

    def put(**_request: Any) -> Any:
        attempts.append(None)
        raise answer("ConditionalRequestConflict", 409)

    with pytest.raises(NasUnavailable):
        S3Nas(Bucket(Changed(client, put_object=put), BUCKET), str(uuid4())).create(PATH, b"x")
    assert len(attempts) == 5


@pytest.mark.parametrize("call", ["put_object", "complete_multipart_upload"])
def test_a_store_that_ignores_conditions_is_refused_before_it_can_lose_a_file(
    client: Any, call: str
) -> None:
    def careless(**request: Any) -> Any:
        return getattr(client, call)(**{k: v for k, v in request.items() if k != "IfNoneMatch"})

    prefix = str(uuid4())
    nas = S3Nas(Bucket(Changed(client, **{call: careless}), BUCKET), prefix)
    for verb in (nas.check, lambda: nas.create(PATH, b"x")):
        with pytest.raises(NasReplaces):
            verb()
    assert client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["KeyCount"] == 0


def test_the_store_is_tried_out_once(client: Any) -> None:
    copies: list[None] = []

    def copy(**request: Any) -> Any:
        copies.append(None)
        return client.upload_part_copy(**request)

    nas = S3Nas(Bucket(Changed(client, upload_part_copy=copy), BUCKET), str(uuid4()))
    nas.check()
    nas.create(PATH, b"x")
    nas.create(waiting(uuid4()), b"x")
    assert len(copies) == 1


def test_an_object_that_marks_a_folder_is_not_listed(client: Any) -> None:
    prefix = str(uuid4())
    client.put_object(Bucket=BUCKET, Key=f"{prefix}/Shop/", Body=b"")
    nas = S3Nas(Bucket(client, BUCKET), prefix)
    nas.create(PATH, b"x")
    assert [entry.path for entry in nas.list("Shop")] == [PATH]


def test_a_bucket_that_is_not_there_is_said_to_be_unknown(endpoint: str) -> None:
    nas = open_s3(f"s3://no-such-bucket?endpoint={endpoint}", timeout_s=60)
    with pytest.raises(NasShareUnknown):
        nas.check()
    with pytest.raises(NasShareUnknown):
        nas.create(PATH, b"x")
    with pytest.raises(NasShareUnknown):
        nas.read(PATH)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answer("QuotaExceeded", 403), NasQuota),
        (answer("XMinioStorageFull", 507), NasFull),
        (answer("", 507), NasFull),
        (answer("AccessDenied", 403), NasRefused),
        (answer("InvalidAccessKeyId", 403), NasLogin),
        (answer("SignatureDoesNotMatch", 403), NasLogin),
        (answer("NoSuchBucket", 404), NasShareUnknown),
        (answer("SlowDown", 503), NasUnavailable),
        (answer("InternalError", 500), NasUnavailable),
        (answer("TooManyRequests", 429), NasUnavailable),
        (answer("RequestTimeout", 400), NasUnavailable),
        (answer("ConditionalRequestConflict", 409), NasUnavailable),
        (foreign.EndpointConnectionError(endpoint_url="u"), NasUnavailable),
        (foreign.ConnectTimeoutError(endpoint_url="u"), NasUnavailable),
        (foreign.ReadTimeoutError(endpoint_url="u"), NasUnavailable),
        (foreign.ConnectionClosedError(endpoint_url="u"), NasUnavailable),
        (foreign.SSLError(endpoint_url="u", error="e"), NasUnavailable),
        (foreign.ResponseStreamingError(error="e"), NasUnavailable),
        (foreign.IncompleteReadError(actual_bytes=1, expected_bytes=2), NasUnavailable),
        (foreign.FlexibleChecksumError(error_msg="e"), NasUnavailable),
        (ResponseParserError("not XML"), NasUnavailable),
        (foreign.NoCredentialsError(), NasLogin),
        (foreign.ProfileNotFound(profile="p"), NasLogin),
        (foreign.ParamValidationError(report="r"), NasRefused),
    ],
)
def test_each_error_of_s3_has_its_own_of_ours(error: Exception, expected: type[NasError]) -> None:
    with pytest.raises(expected) as raised, aws.translated():
        raise error
    assert type(raised.value) is expected
    assert raised.value.__cause__ is error


class Failing(BaseHTTPRequestHandler):
    """Answers every request by 503 and counts them."""

    requests: int

    def answer(self) -> None:
        type(self).requests += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        return


def test_a_server_that_fails_is_asked_a_bounded_number_of_times() -> None:
    Failing.requests = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Failing) as server, aws_account():
        threading.Thread(target=server.serve_forever, daemon=True).start()
        nas = open_s3(f"s3://{BUCKET}?endpoint=http://127.0.0.1:{server.server_port}", timeout_s=60)
        with pytest.raises(NasUnavailable):
            nas.read(PATH)
        server.shutdown()
    assert Failing.requests == aws.ATTEMPTS


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole, aws_account():
        nas = open_s3(
            f"s3://{BUCKET}?endpoint=http://127.0.0.1:{hole.getsockname()[1]}", timeout_s=1
        )
        start = time.monotonic()
        with pytest.raises(NasUnavailable):
            nas.read(PATH)
        assert 1 <= time.monotonic() - start < 1 + 5


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with aws_account(), pytest.raises(NasUnavailable):
        open_s3(f"s3://{BUCKET}?endpoint=http://127.0.0.1:{port}", timeout_s=60).check()


def test_an_account_that_is_not_set_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with aws_account():
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        with pytest.raises(NasLogin):
            open_s3(f"s3://{BUCKET}", timeout_s=60)


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        f"s3://{BUCKET}?endpont=http://127.0.0.1",
        f"s3://{BUCKET}?endpoint=127.0.0.1:9000",
        f"s3://{BUCKET}/../prefix",
        f"s3://{BUCKET}/a//b",
    ],
)
def test_an_address_of_another_form_is_refused_by_the_name_of_the_setting(url: str) -> None:
    with aws_account(), pytest.raises(SettingsInvalid, match="NAS_URL"):
        open_s3(url, timeout_s=60)


def test_a_staged_object_lies_under_the_prefix(client: Any) -> None:
    prefix, design_id = str(uuid4()), uuid4()
    S3Nas(Bucket(client, BUCKET), prefix).create(waiting(design_id), b"x")
    client.head_object(Bucket=BUCKET, Key=f"{prefix}/{waiting(design_id)}")
