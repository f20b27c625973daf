"""Detections of consecutive frames -> tracked detections with scores averaged over their track.

Letters: N boxes of a frame, C category words, A attribute words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import numpy as np

from ovarnet.errors import InputError
from ovarnet.video.averages import TrackAverages
from ovarnet.video.byte_track import NO_TRACK, ByteTrack
from ovarnet.video.reader import Frame, open_video

if TYPE_CHECKING:
    import supervision as sv

    from ovarnet.modeling.predictor import Predictor
    from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
    from ovarnet.structures import Detections
    from ovarnet.vocabulary import Word

Follow: TypeAlias = "Callable[[Detections, float], tuple[np.ndarray, Detections]]"
"""Detections of a frame and its time -> the numbers of their tracks, and those that have one."""

LOW_SHARE = 0.5
"""Boxes of at least this share of the threshold continue a track; they start none."""


class SupervisionTracker(Protocol):
    """A tracker of the package `trackers`, or of one with the same interface."""

    def update(self, detections: sv.Detections) -> sv.Detections:
        """Give each box a `tracker_id`, -1 where it has none."""


@dataclass(eq=False)
class TrackedFrame:
    """The tracked boxes of one frame.

    Attributes:
        frame: its index, time and pixels.
        track_ids: (N,) int64, the numbers of the tracks.
        found: N boxes in pixels of the frame, best first: `scores` are those of this frame,
            `category_scores` and `attribute_scores` means over the frames of the track so far.
    """

    frame: Frame
    track_ids: np.ndarray
    found: Detections


def track(
    model: Predictor,
    source: str | Path,
    categories: Sequence[str | Word] | None = None,
    attributes: Sequence[str | Word] | None = None,
    *,
    every: int = 1,
    **options: Any,
) -> Iterator[TrackedFrame]:
    """Track objects through a video.

    Args:
        model: what `ovarnet.load` returns.
        source: a video file; "camera:0"; the address of a stream; or the URL of a file, see
            `ovarnet.video.reader.open_video`.
        categories: words as in `Predictor.detect`.
        attributes: the same.
        every: use each frame that is a multiple of this; of a camera or stream, the newest.
        options: vocabulary, threshold, batch_size and tracker of `track_frames`, and the options of
            `Predictor.detect`.

    Yields:
        One `TrackedFrame` for each frame used, also where it holds no box.

    Raises:
        InputError: a source that cannot be read, words or options as in `Predictor.detect`.
    """
    if every < 1:
        raise InputError(f"every is {every}; it must be a whole number of at least 1")
    if options.get("vocabulary") is None:
        options["vocabulary"] = model.encode_vocabulary(categories, attributes)
    elif categories is not None or attributes is not None:
        raise InputError("give words or an encoded vocabulary, not both")
    with open_video(source) as video:
        if video.is_live:
            options["batch_size"] = 1  # a frame is shown when it is there
        yield from track_frames(model, video.frames(every), **options)


def track_frames(
    model: Predictor,
    frames: Iterable[Frame],
    *,
    vocabulary: EncodedVocabulary,
    threshold: float | None = None,
    batch_size: int = 8,
    averages: TrackAverages | None = None,
    tracker: SupervisionTracker | None = None,
    **post_processing: Any,
) -> Iterator[TrackedFrame]:
    """Track objects through frames.

    Args:
        model: detects in them.
        frames: in the order of time.
        vocabulary: the words, encoded.
        threshold: detection score from which on a box starts a track, half of which continues one;
            None: the model's own.
        batch_size: frames per forward pass.
        averages: filled with the tracks; None: not wanted.
        tracker: gives boxes their track, such as ``trackers.ByteTrackTracker()``; None:
            `ovarnet.video.byte_track.ByteTrack`.
        post_processing: nms_iou, class_agnostic, containment and limit of `Predictor.detect`.

    Yields:
        One `TrackedFrame` for each frame.
    """
    threshold = model.model.threshold if threshold is None else threshold
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold is {threshold!r}; it must be from 0 to 1")
    averages = TrackAverages() if averages is None else averages
    follow = _own(ByteTrack(threshold)) if tracker is None else _foreign(tracker)
    frames = iter(frames)
    while batch := list(islice(frames, batch_size)):
        detections = cast(
            "list[Detections]",
            model.detect(
                [frame.image for frame in batch],
                vocabulary=vocabulary,
                batch_size=batch_size,
                **{**post_processing, "threshold": threshold * LOW_SHARE},
            ),
        )
        for frame, found in zip(batch, detections, strict=True):
            numbers, kept = follow(found, frame.seconds)
            kept = averages.add(numbers, kept, frame.index, frame.seconds)
            yield TrackedFrame(frame, numbers, kept)


def _own(tracker: ByteTrack) -> Follow:
    def follow(found: Detections, seconds: float) -> tuple[np.ndarray, Detections]:
        numbers = tracker.update(found.boxes.numpy(), found.scores.numpy(), seconds)
        rows = np.flatnonzero(numbers != NO_TRACK)
        return numbers[rows], found[rows]

    return follow


def _foreign(tracker: SupervisionTracker) -> Follow:
    from ovarnet.integrations.supervision import from_supervision, to_supervision

    def follow(found: Detections, _seconds: float) -> tuple[np.ndarray, Detections]:
        if not len(found):
            tracker.update(to_supervision(found))
            return np.zeros(0, dtype=np.int64), found
        tracked: Any = tracker.update(to_supervision(found))
        tracked = tracked[np.asarray(tracked.tracker_id) >= 0]
        if not len(tracked):
            return np.zeros(0, dtype=np.int64), found[:0]
        # which may have another order
        tracked = tracked[np.argsort(-tracked.confidence, kind="stable")]
        return np.asarray(tracked.tracker_id, dtype=np.int64), from_supervision(tracked)

    return follow
