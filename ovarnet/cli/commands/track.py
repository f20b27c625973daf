"""Track objects through videos and score every category and attribute word you name.

Boxes of one object have one number through the video; category and attribute scores are means over
the frames of its track. Writes NAME.mp4 (the video with boxes), NAME.jsonl (one line a frame) and
NAME.tracks.json (one entry a track) for each video.

Examples:
  ovarnet track clip.mp4 --categories "mug, person" --attributes "red, striped" --output out
  ovarnet track "clips/*.mp4" --every 5 --model photos    each fifth frame, the faster model
  ovarnet track camera:0 --frames 500                     the first webcam; Ctrl-C ends it, too
  ovarnet track rtsp://user:password@192.168.1.9/live     a network camera
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ovarnet.cli.argument_types import count, fraction, positive
from ovarnet.cli.commands.detect import ATTRIBUTE_THRESHOLD, SUMMARY_LINES
from ovarnet.cli.image_sources import Source, expand, source_name
from ovarnet.cli.model_arguments import (
    add_device_argument,
    add_model_arguments,
    note_on_shipped_weights,
)
from ovarnet.cli.output_folder import distinct, refuse_to_replace, writable
from ovarnet.cli.suppression_arguments import add_suppression_arguments, suppression_options
from ovarnet.cli.word_arguments import add_word_arguments, read_queried_words
from ovarnet.errors import InputError
from ovarnet.io.files import check_folder

if TYPE_CHECKING:
    from ovarnet.modeling.predictor import Predictor
    from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
    from ovarnet.video.averages import TrackAverages
    from ovarnet.video.reader import Video
    from ovarnet.video.tracking import TrackedFrame

HELP = "track objects through videos, cameras and streams, with scores averaged over each track"


class Outputs(NamedTuple):
    """Where the results of one video go."""

    video: Path
    frames: Path
    tracks: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet track`."""
    parser.add_argument(
        "videos",
        nargs="+",
        metavar="VIDEO",
        help='video files, patterns such as "clips/*.mp4", URLs of files, camera:0, addresses of '
        "streams (rtsp, rtmp, udp, tcp), or - to read a list of these from standard input",
    )
    add_model_arguments(parser)
    add_word_arguments(parser)
    parser.add_argument(
        "--every",
        type=positive,
        default=1,
        metavar="N",
        help="use each Nth frame; the video written has only these, at the speed of the original",
    )
    parser.add_argument(
        "--frames", type=positive, metavar="N", help="stop after N frames (default: at the end)"
    )
    _add_output_arguments(parser)
    add_suppression_arguments(parser)
    parser.add_argument(
        "--batch-size", type=positive, default=8, metavar="N", help="frames per forward pass"
    )
    add_device_argument(parser)


def _add_output_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", type=Path, default=Path("out"), help="folder for videos and data"
    )
    parser.add_argument(
        "--threshold",
        type=fraction,
        help="detection score from which on a box starts a track; half of it continues one "
        "(default: the model's own, such as 0.3)",
    )
    parser.add_argument(
        "--attribute-threshold",
        type=fraction,
        default=ATTRIBUTE_THRESHOLD,
        metavar="SCORE",
        help="lowest attribute score shown; the data hold all scores",
    )
    parser.add_argument(
        "--top-attributes",
        type=count,
        default=3,
        metavar="N",
        help="most attributes shown per box, best first; the data hold all",
    )


def run(args: argparse.Namespace) -> int:
    """Track through all videos; returns 2 where some could not be used to their end."""
    import ovarnet

    check_folder(args.output)
    videos = find_videos(args.videos)
    outputs = name_outputs(videos, args.output)
    queried = read_queried_words(args)
    note_on_shipped_weights(args.model)
    model = ovarnet.load(args.model, proposer=args.proposer, device=args.device)
    words = queried.encode(model)

    failures = []
    for source, files in zip(videos, outputs, strict=True):
        try:
            problem = track_one(model, words, source, files, args)
        except InputError as error:
            if len(videos) == 1:
                raise
            problem = str(error)
        failures += [problem] if problem else []
    if failures:
        print(
            f"error: {len(failures)} of {len(videos)} videos could not be used to their end:",
            *failures,
            sep="\n  ",
            file=sys.stderr,
        )
    return 2 if failures else 0


def find_videos(given: list[str]) -> list[Source]:
    """The videos that the command line names, each once."""
    from ovarnet.video.sources import SUFFIXES

    return list(dict.fromkeys(expand(given, SUFFIXES)))


def name_outputs(videos: list[Source], folder: Path) -> list[Outputs]:
    """Distinct files for the results of each video, none of which is a video that is read."""
    names = distinct([Path(source_name(video)).stem for video in videos])
    outputs = [
        Outputs(*(folder / f"{name}{end}" for end in (".mp4", ".jsonl", ".tracks.json")))
        for name in names
    ]
    refuse_to_replace(videos, [files.video for files in outputs])
    return outputs


def track_one(
    model: Predictor,
    words: EncodedVocabulary,
    source: Source,
    files: Outputs,
    args: argparse.Namespace,
) -> str | None:
    """Track through one video and write its results.

    Returns:
        What is missing at its end; None where nothing is.

    Raises:
        InputError: The video cannot be read, or nothing can be written.
    """
    from ovarnet.io.files import write_json
    from ovarnet.video.averages import TrackAverages
    from ovarnet.video.reader import open_video
    from ovarnet.video.tracking import track_frames

    options: dict[str, Any] = {**suppression_options(args), "threshold": args.threshold}
    averages, start = TrackAverages(), time.monotonic()
    with open_video(source) as video:
        tracked = track_frames(
            model,
            islice(video.frames(args.every), args.frames),
            vocabulary=words,
            batch_size=1 if video.is_live else args.batch_size,
            averages=averages,
            **options,
        )
        with writable(args.output):
            size, frames = write_frames(tracked, video, files, args)
            seconds = time.monotonic() - start
            height, width = size
            head = {"file": video.name, "width": width, "height": height, "frames": frames}
            head |= {"frames_per_second": round(video.rate, 3), "every": args.every}
            write_json(files.tracks, head | tracks_record(averages))
        missing = None if args.frames == frames else video.missing
    report(video.name, averages, frames, seconds, files, args)
    return missing


def write_frames(
    tracked: Iterator[TrackedFrame], video: Video, files: Outputs, args: argparse.Namespace
) -> tuple[tuple[int, int], int]:
    """Write NAME.mp4 and NAME.jsonl while the frames are tracked.

    Returns:
        Height and width of the frames, and how many there were.
    """
    from ovarnet.io.files import whole_file
    from ovarnet.video.writer import write_video

    first, frames = next(tracked), 0  # before any file is made
    with (
        whole_file(files.frames) as lines_file,
        lines_file.open("w", encoding="utf-8") as lines,
        write_video(files.video, video.rate / args.every) as writer,
        progress(video, args) as bar,
        ended_by_hand(video),
    ):
        for one in chain([first], tracked):
            writer.write(drawn(one, args))
            lines.write(json.dumps(frame_record(one), ensure_ascii=False) + "\n")
            frames += 1
            bar.update()
    return first.frame.image.shape[:2], frames


@contextmanager
def ended_by_hand(video: Video) -> Iterator[None]:
    """Ctrl-C is how a camera or stream ends; while a file is read, it is an interruption."""
    try:
        yield
    except KeyboardInterrupt:
        if not video.is_live or not video.frames_read:
            raise


def progress(video: Video, args: argparse.Namespace) -> Any:
    """A bar with frames per second and the time left, where that is known."""
    from tqdm import tqdm

    total = None if video.frame_count is None else math.ceil(video.frame_count / args.every)
    if args.frames:
        total = args.frames if total is None else min(total, args.frames)
    if video.is_live and not args.frames:
        print(f"{video.name}: Ctrl-C ends the recording", file=sys.stderr)
    return tqdm(total=total, unit="frame", desc=video.name, disable=None, file=sys.stderr)


def drawn(one: TrackedFrame, args: argparse.Namespace) -> Any:
    """The frame with its boxes, each with the number of its track."""
    return one.found.plot(
        one.frame.image,
        ranks=one.track_ids.tolist(),
        keep_size=True,
        top_attributes=args.top_attributes,
        attribute_threshold=args.attribute_threshold,
    )


def frame_record(one: TrackedFrame) -> dict[str, Any]:
    """One line of NAME.jsonl."""
    record = one.found.to_dict()
    del record["categories"], record["attributes"]  # the same in every line: in NAME.tracks.json
    return {
        "frame": one.frame.index,
        "seconds": round(one.frame.seconds, 3),
        "track_ids": one.track_ids.tolist(),
        **record,
    }


def tracks_record(averages: TrackAverages) -> dict[str, Any]:
    """Words and tracks of NAME.tracks.json."""
    record = averages.detections().to_dict()
    rows = zip(
        averages.tracks.values(),
        record["category"],
        record["scores"],
        record["category_scores"],
        record["attribute_scores"],
        strict=True,
    )
    return {
        "categories": record["categories"],
        "attributes": record["attributes"],
        "tracks": [
            {
                "id": track.number,
                "frames": track.frames,
                "first_frame": track.first_frame,
                "last_frame": track.last_frame,
                "first_seconds": round(track.first_seconds, 3),
                "last_seconds": round(track.last_seconds, 3),
                "category": category,
                "score": score,
                "category_scores": category_scores,
                "attribute_scores": attribute_scores,
            }
            for track, category, score, category_scores, attribute_scores in rows
        ],
    }


def report(
    name: str,
    averages: TrackAverages,
    frames: int,
    seconds: float,
    files: Outputs,
    args: argparse.Namespace,
) -> None:
    """Print the tracks that last longest, and what was written."""
    from ovarnet.drawing.label_text import summary

    texts = summary(averages.detections(), args.top_attributes, args.attribute_threshold)
    pairs = sorted(zip(averages.tracks.values(), texts, strict=True), key=lambda p: -p[0].frames)
    print(
        f"{name}: {counted(len(pairs), 'track')} in {counted(frames, 'frame')}, "
        f"{seconds:.1f} s ({frames / seconds:.1f} frames per second)"
    )
    for track, text in pairs[:SUMMARY_LINES]:
        span = f"{track.first_seconds:.1f} to {track.last_seconds:.1f} s"
        print(f"  {track.number} {text}  ({span}, {counted(track.frames, 'frame')})")
    if len(pairs) > SUMMARY_LINES:
        print(f"  ... and {len(pairs) - SUMMARY_LINES} more")
    print(f"written to {args.output}: {', '.join(file.name for file in files)}")


def counted(number: int, word: str) -> str:
    """Such as "1 frame" or "2 frames"."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
