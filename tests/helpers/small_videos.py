"""Videos written by tests, and detections of fixed boxes."""

from pathlib import Path

import cv2
import numpy as np

CODECS = {".mkv": "FFV1", ".mp4": "mp4v", ".avi": "MJPG", ".ts": "mpg2"}


def write_frames(path: Path, images, rate=10.0) -> Path:
    """Writes (H, W, 3) RGB images; .mkv keeps grey values exactly."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = images[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*CODECS[path.suffix])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, rate, (width, height))
    for image in images:
        writer.write(np.ascontiguousarray(image[..., ::-1]))
    writer.release()
    return path


def grey_frames(count: int, height=48, width=64) -> list[np.ndarray]:
    """Frame i is of the grey value 20 * i."""
    return [np.full((height, width, 3), 20 * index, np.uint8) for index in range(count)]
