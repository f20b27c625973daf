"""Numbers on the command line that are refused there when they make no sense: types for
`parser.add_argument(type=...)`.
"""

from __future__ import annotations

import argparse


def fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def positive(text: str) -> int:
    if count(text) == 0:
        raise argparse.ArgumentTypeError("0 is too small")
    return count(text)
