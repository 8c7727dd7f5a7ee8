"""Copies with something beside, under or over the art."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.quality.drawing import Pixels, chance


def hidden_white(pixels: Pixels) -> Pixels:
    """Fully transparent pixels made white, which no one sees."""
    return np.where(pixels[..., 3:] == 0, np.array([255, 255, 255, 0], np.uint8), pixels)


def hidden_random(pixels: Pixels) -> Pixels:
    copy = pixels.copy()
    hidden = pixels[..., 3] == 0
    copy[hidden, :3] = chance("hidden").integers(0, 256, (int(hidden.sum()), 3))
    return copy


def margin(pixels: Pixels) -> Pixels:
    """Transparent all around, more on one side than on the other."""
    return np.pad(pixels, ((20, 35), (50, 10), (0, 0)))


def speck(pixels: Pixels) -> Pixels:
    """A stray pixel far from the art, too faint to be seen: alpha 9 of 255."""
    copy = np.pad(pixels, ((60, 60), (60, 60), (0, 0)))
    copy[3, 5] = (200, 30, 30, 9)
    return copy


def watermark(pixels: Pixels, share: float) -> Pixels:
    """A half-transparent grey mark in the lower right, so much of the width."""
    copy = pixels.copy()
    height, width = pixels.shape[:2]
    side = max(4, round(width * share))
    top, left = max(0, int(height * 0.92) - side), max(0, int(width * 0.92) - side)
    mark = np.zeros((height, width), np.uint8)
    radius = side // 2
    cv2.circle(mark, (left + radius, top + radius), radius, 128, max(1, side // 8), cv2.LINE_AA)
    cv2.putText(
        mark,
        "C",
        (left + side // 4, top + side * 3 // 4),
        0,
        side / 40,
        128,
        max(1, side // 10),
        cv2.LINE_AA,
    )
    over = mark[..., None] / 255
    alpha = pixels[..., 3:] / 255
    both = over + alpha * (1 - over)
    rgb = (128 * over + pixels[..., :3] * alpha * (1 - over)) / np.maximum(both, 1e-6)
    copy[..., :3] = np.where(mark[..., None] > 0, np.rint(rgb), pixels[..., :3])
    copy[..., 3:] = np.rint(both * 255)
    return copy
