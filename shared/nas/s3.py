"""A NAS that speaks S3 (``s3://bucket/prefix?endpoint=http://...&region=...``).

S3 has no rename and replaces by default, so each write is conditional (``If-None-Match: *``).
Publishing copies on the server by a multipart upload of one copied part, because many stores ignore
the condition on a plain CopyObject but keep it when an upload is completed; then the staged object
goes. A store that ignores the condition there too would lose files, so that is tried out before the
first write and such a store is refused.

Two workers that publish one staged object under two different names may both succeed.
An upload cut off by a crash leaves no object, only parts: let the bucket's lifecycle abort them.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from shared.errors import NameInvalid, NameTaken, NasRefused, StagedFileMissing
from shared.nas import staging
from shared.nas.bucket import ABSENT, CONFLICT, MET, code, translated
from shared.nas.names import STAGING, split, staged
from shared.ports import Content
from shared.records import Entry
