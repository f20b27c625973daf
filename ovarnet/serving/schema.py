"""What requests may say and what responses hold; the OpenAPI page is made of it.

N boxes, C category words, A attribute words. Boxes are x1, y1, x2, y2 in pixels of the image.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_WORDS, MOST_BOXES = 500, 100
LONGEST_PHRASE = 300

Pixels = Annotated[float, Field(allow_inf_nan=False)]
Box = tuple[Pixels, Pixels, Pixels, Pixels]
Fraction = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[list[str], Field(max_length=MOST_WORDS)]


class BoxesAndFormat(BaseModel):
    """What `DetectQuery` and `FindQuery` share."""

    model_config = ConfigDict(extra="forbid")

    boxes: list[Box] = Field(
        [],
        max_length=MOST_BOXES,
        description="boxes of yours to score: x1, y1, x2, y2 in pixels of the image",
    )
    find_boxes: bool | None = Field(
        None, description="whether the model looks for boxes too; null: if you give none"
    )
    threshold: Fraction | None = Field(
        None,
        description="lowest detection score of the boxes found; null: the model's own, and 0 for "
        "a phrase",
    )
    limit: int = Field(100, ge=1, le=100, description="most boxes found, best first")
    format: Literal["json", "coco", "picture"] = Field(
        "json", description="all scores as JSON, COCO results, or a JPEG with boxes and labels"
    )
    top_attributes: int = Field(3, ge=0, description="attributes per label of a picture")
    attribute_threshold: Fraction = Field(
        0.5, description="lowest attribute score that a picture shows"
    )

    @model_validator(mode="after")
    def _scores_something(self) -> BoxesAndFormat:
        if self.find_boxes is False and not self.boxes:
            raise ValueError("find_boxes is false and there are no boxes; give boxes to score")
        return self

    @property
    def looks_for_boxes(self) -> bool:
        """Whether the boxes that the model finds are part of the result."""
        return not self.boxes if self.find_boxes is None else self.find_boxes


class DetectQuery(BoxesAndFormat):
    """Words to score on an image."""

    categories: Words | None = Field(
        None, description="category words; null: the model's own; []: none"
    )
    attributes: Words | None = Field(
        None, description="attribute words; null: the model's own; []: none"
    )


class FindQuery(BoxesAndFormat):
    """A phrase to look for in an image."""

    phrase: str = Field(max_length=LONGEST_PHRASE, examples=["a small red striped mug"])


class ProductQuery(BaseModel):
    """Which products to return."""

    model_config = ConfigDict(extra="forbid")

    top: int = Field(12, ge=1, le=100, description="most products, best first")
    where: dict[str, str] = Field(
        {}, max_length=20, description="label column: value that a product must have"
    )


class ProductPhraseQuery(ProductQuery):
    """Products to look for."""

    phrase: str = Field(max_length=LONGEST_PHRASE, examples=["a red striped mug"])


class FoundProduct(BaseModel):
    """A product that was found; /api/products/photo?id=ID is its photo."""

    rank: int
    score: float = Field(description="cosine with the query; comparable within one catalogue")
    id: str
    title: str
    labels: dict[str, str] = Field(description="label column: value")


class FoundProducts(BaseModel):
    """What a search found."""

    query: str = Field(description="the phrase, or the name of the photo")
    products: list[FoundProduct]


class CatalogueInfo(BaseModel):
    """The catalogue that is searched."""

    products: int
    model: str = Field(description="encodes queries")
    labels: dict[str, list[str]] = Field(description="columns to filter by: their values")


class Picture(BaseModel):
    """An image that the server has passed through the model."""

    image: str = Field(description="its name in further requests")
    file: str
    width: int = Field(description="pixels, after EXIF rotation")
    height: int
    boxes_found: int = Field(description="before words, threshold and suppression")


class Result(BaseModel):
    """The scores of one image: the fields of NAME.json of `ovarnet detect`, and a few more."""

    image: str = Field(description="name of the image in further requests")
    file: str
    width: int
    height: int
    categories: list[str] = Field(description="the C words, in the order queried")
    attributes: list[str] = Field(description="the A words, in the order queried")
    boxes: list[list[float]] = Field(
        description="N boxes x1, y1, x2, y2 in pixels: those found, best first, then yours"
    )
    scores: list[float] = Field(description="N detection scores in [0, 1]")
    category: list[str | None] = Field(description="N best category words")
    category_scores: list[list[float]] = Field(description="N lists of C")
    attribute_scores: list[list[float]] = Field(description="N lists of A")
    attribute_types: list[str] = Field(description="A types, such as color or material")
    given: list[bool] = Field(description="N; true for boxes of yours")
    unused: list[str] = Field(description="words of a phrase that nothing is scored by")


class Example(BaseModel):
    """A picture that comes with the package, and words to try on it."""

    file: str
    description: str
    categories: list[str]
    attributes: list[str]
    phrase: str


class Model(BaseModel):
    """What serves, and what it accepts."""

    name: str
    version: str
    note: str = Field(description="what to know about the weights; may be empty")
    threshold: float = Field(description="lowest detection score worth showing")
    categories: list[str] = Field(description="words of the model's training, as suggestions")
    attributes: list[str]
    upload_bytes: int
    pixels: int
    examples: list[Example]
    products: int = Field(description="products of the catalogue; 0: there is none")


class Problem(BaseModel):
    """Why a request failed."""

    error: str = Field(description="one line that says what is wrong and how to fix it")
