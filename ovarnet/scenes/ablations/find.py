"""Does ranking by category and attributes beat the whole phrase as one embedding?

Rank-1 accuracy over referring phrases. Three questions to the same regions and the same phrases:
  given    which of the annotated boxes of the image is meant
  found    the best of the detected boxes has IoU >= 0.5 with the box that is meant
  folder   the best of the boxes detected in 100 images has IoU >= 0.5 with an object that the words
           fit, in any of them
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_iou
from tqdm import tqdm

from ovarnet.data.datasets import open_dataset
from ovarnet.io.files import write_json, write_text
from ovarnet.modeling.phrase_ranking import Evidence, PhraseRanker, vocabulary_logits
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.scenes.ablations.find_table import FOLDER, QUESTIONS, RULE, WHOLE, markdown, summary
from ovarnet.scenes.world.referring import Reference, references
from ovarnet.structures import POSITIVE, Annotations
from ovarnet.vocabulary import Vocabulary, Word

IOU = 0.5
BATCH = 8

Hits = dict[str, dict[str, list[float]]]
"""Row -> question -> 1 or 0 for each phrase; for chance, the share of right regions."""


class View(NamedTuple):
    """Regions, and their logits for the model's words, which are the same for every phrase."""

    regions: RegionEmbeddings
    known: tuple[Tensor, Tensor]


@dataclass
class Scene:
    """An image with its labels and phrases, and views of the annotated and of the found boxes."""

    labels: Annotations
    phrases: list[Reference]
    given: View
    found: View


class Question(NamedTuple):
    """A phrase put to the regions of a view."""

    ranker: PhraseRanker
    regions: RegionEmbeddings
    evidence: Evidence


def _score_of(evidence: Evidence, *names: str) -> Tensor:
    """The score from the objectness and the named parts alone."""
    nothing = evidence.objectness.new_zeros(len(evidence.objectness), 0)
    dropped = {"category", "attributes", "phrase"} - set(names)
    return evidence._replace(**dict.fromkeys(dropped, nothing)).score()


def _independent_words(question: Question) -> Tensor:
    """Every word has its own sigmoid, as in `detect`: no competing words."""
    ranker, regions, evidence = question
    category, attributes = (
        ranker.classifier(regions.embeddings, words).cpu().sigmoid()
        for words in (ranker.categories, ranker.attributes)
    )
    category = category[:, : evidence.category.shape[1]]
    independent = evidence._replace(category=category, attributes=attributes)
    return _score_of(independent, "category", "attributes")


def _whole_phrase(question: Question) -> Tensor:
    """sqrt(objectness * sigmoid), as for any category word."""
    ranker, regions, evidence = question
    words = ranker.classifier.embed([Word(ranker.query.text)], "category")
    phrase = ranker.classifier(regions.embeddings, words).cpu().sigmoid()
    return _score_of(evidence._replace(phrase=phrase), "phrase")


ROWS: dict[str, Callable[[Question], Tensor]] = {
    "category only": lambda question: _score_of(question.evidence, "category"),
    "attributes only": lambda question: _score_of(question.evidence, "attributes"),
    WHOLE: _whole_phrase,
    "whole phrase, against the category words": lambda question: _score_of(
        question.evidence, "phrase"
    ),
    "words together, each by itself": _independent_words,
    "words together, against their competing words": lambda question: _score_of(
        question.evidence, "category", "attributes"
    ),
    RULE: lambda question: question.evidence.score(),
}
"""Row -> scores (R,) of R regions."""


class FindBenchmark:
    """Puts the referring phrases of the generated world to a model.

    Args:
        model: Scores the phrases.
        root: Folder of the generated world.
        split: Of the world; tune on "val" only.
        images: How many images of the split at most.
    """

    def __init__(
        self, model: Predictor, root: str | Path, split: str = "test", *, images: int | None = None
    ):
        self.model, self.words = model, model.encode_vocabulary()
        self.vocabulary, labels = open_dataset("scenes", root, split)
        wanted = [
            (scene, phrases)
            for scene in labels[:images]
            if (phrases := references(scene, self.vocabulary))
        ]
        views = tqdm(self._embed(wanted), total=len(wanted), unit="image", desc="embedding")
        self.scenes = list(views)

    @torch.no_grad()
    def _embed(self, wanted: Sequence[tuple[Annotations, list[Reference]]]) -> Iterator[Scene]:
        for start in range(0, len(wanted), BATCH):
            part = wanted[start : start + BATCH]
            files = [str(labels.file) for labels, _ in part]
            given = self.model.embed(files, [labels.boxes for labels, _ in part])
            found = self.model.embed(files)
            assert isinstance(given, list)  # as `files` is
            assert isinstance(found, list)
            for (labels, phrases), *seen in zip(part, given, found, strict=True):
                yield Scene(labels, phrases, *(self._view(one.regions) for one in seen))

    def _view(self, regions: RegionEmbeddings) -> View:
        return View(regions, vocabulary_logits(self.model.model.classifier, self.words, regions))

    @torch.no_grad()
    def run(self) -> dict:
        """Ask everything; see `summary` for what is returned."""
        hits: Hits = {name: {question: [] for question in QUESTIONS} for name in ("chance", *ROWS)}
        groups: dict[str, list[tuple[str, ...]]] = {"image": [], "folder": []}
        understood = []
        folders = [
            self.scenes[start : start + FOLDER] for start in range(0, len(self.scenes), FOLDER)
        ]
        for scenes in tqdm(folders, unit="folder", desc="finding"):
            folder_view, asked = _joined([scene.found for scene in scenes]), set()
            for scene, phrase in ((one, phrase) for one in scenes for phrase in one.phrases):
                ranker = self.model.encode_phrase(phrase.text, vocabulary=self.words)
                understood.append(read_as_intended(ranker, phrase, self.vocabulary))
                groups["image"].append(self._groups(phrase))
                self._ask_image(ranker, scene, phrase, hits)

                # Phrases of the same words have the same right answers in a folder: asked once.
                words = phrase.category, frozenset(phrase.attributes)
                if words not in asked:
                    asked.add(words)
                    groups["folder"].append(self._groups(phrase))
                    right = torch.cat([self._fitting(one, phrase) for one in scenes])
                    _ask(ranker, folder_view, right, hits, "folder")
        return summary(hits, groups, understood)

    def _ask_image(self, ranker: PhraseRanker, scene: Scene, phrase: Reference, hits: Hits) -> None:
        target = scene.labels.boxes[[phrase.target]]
        overlaps = box_iou(scene.found.regions.boxes.cpu(), target)[:, 0] >= IOU
        is_target = torch.arange(len(scene.labels)) == phrase.target
        _ask(ranker, scene.given, is_target, hits, "given")
        _ask(ranker, scene.found, overlaps, hits, "found")

    def _groups(self, phrase: Reference) -> tuple[str, ...]:
        return "all", "base" if phrase.is_base(self.vocabulary) else "novel", phrase.kind

    def _fitting(self, scene: Scene, phrase: Reference) -> Tensor:
        """(R,) bool: the found boxes that lie on an object which the words of the phrase fit."""
        columns = [self.vocabulary.attribute_index[name] for name in phrase.attributes]
        fits = scene.labels.categories == self.vocabulary.category_index[phrase.category]
        fits &= (scene.labels.attributes[:, columns] == POSITIVE).all(dim=1)
        boxes = scene.found.regions.boxes.cpu()
        return (box_iou(boxes, scene.labels.boxes[fits]) >= IOU).any(dim=1)


def read_as_intended(ranker: PhraseRanker, phrase: Reference, vocabulary: Vocabulary) -> bool:
    """Whether the parser read the words that a phrase was made from, and left none out."""
    query = ranker.query
    name_of = {
        text: word.name
        for word in (*vocabulary.categories, *vocabulary.attributes)
        for text in (word.name, *word.synonyms)
    }
    attributes = {name_of.get(name) for name in query.attributes}
    return (
        query.category is not None
        and name_of.get(query.category) == phrase.category
        and attributes == set(phrase.attributes)
        and not query.unused
    )


def _joined(views: Sequence[View]) -> View:
    regions = RegionEmbeddings(*map(torch.cat, zip(*(view.regions for view in views), strict=True)))
    categories, attributes = map(torch.cat, zip(*(view.known for view in views), strict=True))
    return View(regions, (categories, attributes))


def _ask(ranker: PhraseRanker, view: View, right: Tensor, hits: Hits, question: str) -> None:
    """Append to each row whether its best region is right; without regions, all are wrong."""
    asked = Question(ranker, view.regions, ranker.evidence(*view))
    hits["chance"][question].append(float(right.float().mean()) if len(right) else 0.0)
    for name, row in ROWS.items():
        hit = float(right[row(asked).argmax()]) if len(right) else 0.0
        hits[name][question].append(hit)


def reproduce_find(
    model: str,
    root: str | Path,
    output: str | Path,
    *,
    split: str = "test",
    images: int | None = None,
) -> str:
    """Run the benchmark and write find.json and find.md.

    Args:
        model: What `ovarnet.load` opens.
        root: Folder of the generated world.
        output: Folder to write.
        split: Of the world.
        images: How many images of the split at most.

    Returns:
        The tables as Markdown.
    """
    import ovarnet

    result = FindBenchmark(ovarnet.load(model), root, split, images=images).run()
    table = markdown(result)
    content = {"model": str(model), "split": split, **result}
    write_json(Path(output) / "find.json", content, indent=1)
    write_text(Path(output) / "find.md", table)
    return table
