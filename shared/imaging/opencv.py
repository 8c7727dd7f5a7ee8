"""OpenCV, imported under its own limits: take ``cv2`` from here, never by itself."""

from __future__ import annotations

import os

# OpenCV reads these once, while it is imported; later changes do nothing. Its pixel limit is the
# second line behind `shared.imaging.limits`, so it lies above the one in use: 400 MP.
# Its log prints a line for every bad upload, which would let anyone fill the disk. libpng prints
# past it, so `shared.imaging.headers.png` refuses or leaves out what it would print a line for; not
# a filter that doesn't exist, or a few rows too few or too many.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "400000000")
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

import cv2

__all__ = ["cv2"]
