"""The baseline: the workflow written out plainly, as its own lines say, and nothing more.

OpenCV decodes and encodes at level 3, the check hashes the upload, the encoded file is decoded
again for the four hashes, and near matches are a loop over the newest 1,000 rows.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import cv2
import imagehash
import numpy as np
import sqlalchemy as sa
from PIL import Image

THRESHOLD = 5
WIDTH, HEIGHT = 3800, 1732
"""UVDTF 16oz at 400 DPI."""


def upload(files: list[Path], engine: sa.Engine, user: UUID, folder: Path) -> int:
    """Check, then prepare, file and record each file; how many were created."""
    unique: list[tuple[Path, np.ndarray]] = []
    checked: list[imagehash.ImageHash] = []
    for file in files:
        art = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        phash = imagehash.phash(_normalized(art), hash_size=16)
        if any(phash - other <= THRESHOLD for other in checked):
            continue
        if _in_database(engine, user, str(phash)) or _near_in_database(engine, user, phash):
            continue
        checked.append(phash)
        unique.append((file, art))
    for number, (_, art) in enumerate(unique, start=1):
        _create(art, f"UV_{number:03d}.png", engine, user, folder)
    return len(unique)


def _create(art: np.ndarray, name: str, engine: sa.Engine, user: UUID, folder: Path) -> None:
    rows, columns = np.where(art[:, :, 3] > 0)
    cropped = art[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    larger = cropped.shape[1] < WIDTH or cropped.shape[0] < HEIGHT
    interpolation = cv2.INTER_CUBIC if larger else cv2.INTER_AREA
    resized = cv2.resize(cropped, (WIDTH, HEIGHT), interpolation=interpolation)
    encoded = cv2.imencode(".png", resized, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(encoded)
    again = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    picture = _normalized(again)
    values = {
        "id": uuid4(),
        "user_id": user,
        "filename": name,
        "file_path": f"/share/Graphics/NookTransfers/Plain/{name}",
        "phash": str(imagehash.phash(picture, hash_size=16)),
        "ahash": str(imagehash.average_hash(picture, hash_size=16)),
        "dhash": str(imagehash.dhash(picture, hash_size=16)),
        "whash": str(imagehash.whash(picture, hash_size=16)),
    }
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO design_images (id, user_id, filename, file_path, phash, ahash, dhash,"
                " whash, is_active) VALUES (:id, :user_id, :filename, :file_path, :phash, :ahash,"
                " :dhash, :whash, true)"
            ),
            values,
        )


def _normalized(art: np.ndarray) -> Image.Image:
    rgb = cv2.cvtColor(art, cv2.COLOR_BGRA2RGB)
    return Image.fromarray(rgb).resize((256, 256), Image.Resampling.LANCZOS)


def _in_database(engine: sa.Engine, user: UUID, phash: str) -> bool:
    query = sa.text(
        "SELECT 1 FROM design_images WHERE user_id = :user AND is_active = true"
        " AND phash = :phash LIMIT 1"
    )
    with engine.connect() as connection:
        return connection.execute(query, {"user": user, "phash": phash}).first() is not None


def _near_in_database(engine: sa.Engine, user: UUID, phash: imagehash.ImageHash) -> bool:
    query = sa.text(
        "SELECT phash, filename FROM design_images WHERE user_id = :user AND is_active = true"
        " AND phash IS NOT NULL ORDER BY created_at DESC LIMIT 1000"
    )
    with engine.connect() as connection:
        newest = connection.execute(query, {"user": user}).all()
    return any(phash - imagehash.hex_to_hash(row.phash) <= THRESHOLD for row in newest)
