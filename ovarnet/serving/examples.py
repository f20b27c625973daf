"""The pictures of the package, with words to try on them."""

from __future__ import annotations

from pathlib import Path

from ovarnet.serving.schema import Example

FOLDER = Path(__file__).parents[1] / "examples"

PHOTOS = (
    Example(
        file="cat.jpg",
        description="a cat",
        categories=["cat", "dog", "person"],
        attributes=["furry", "eye", "brown", "orange", "white", "striped", "wooden"],
        phrase="a furry cat",
    ),
    Example(
        file="coffee.jpg",
        description="a cup of coffee",
        categories=["cup", "bottle", "person"],
        attributes=["red", "brown", "white", "round", "plastic", "wooden"],
        phrase="a red cup",
    ),
    Example(
        file="astronaut.jpg",
        description="an astronaut",
        categories=["person", "cat", "cup"],
        attributes=["hair", "orange", "blue", "white", "plastic", "furry"],
        phrase="a person in orange",
    ),
)

SCENES = (
    Example(
        file="scene.jpg",
        description="a drawn scene",
        categories=["heart", "tree", "apple"],
        attributes=["red", "green", "transparent", "plain", "upright", "tilted"],
        phrase="a red heart",
    ),
)
"""For the weights that know the generated world alone."""
