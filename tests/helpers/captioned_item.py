"""An item of a caption stream, in a module that worker processes can import.

pytest imports test modules from their files, under names that a spawned process does not know.
"""

from typing import NamedTuple


class Item(NamedTuple):
    name: str
    captions: tuple[str, ...]
