"""Does ranking by category and attributes together beat the whole phrase as one embedding? Rank-1 accuracy over referring phrases.

Three questions to the same regions and the same phrases:
  given    which of the labelled boxes of the image is meant
  found    the best of the boxes that the model finds has IoU >= 0.5 with the box that is meant
  folder   the best of the boxes found in 100 images has IoU >= 0.5 with an object that the words fit, in any of them
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou
from tqdm import tqdm

from ovarnet.data.datasets import open_dataset
from ovarnet.io.files import write_json, write_text
from ovarnet.modeling.phrase_ranking import Evidence, PhraseRanker, vocabulary_logits
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.scenes.world.referring import KINDS, Reference, references
from ovarnet.structures import POSITIVE, Annotations
from ovarnet.vocabulary import Vocabulary, Word

IOU = 0.5
FOLDER = 100
BATCH = 8
RULE, WHOLE = "category and attributes together (the rule)", "whole phrase as one embedding"
QUESTIONS = ("given", "found", "folder")


class View(NamedTuple):
    """Regions, and their logits for the model's words, which are the same for every phrase."""

    regions: RegionEmbeddings
    known: tuple[Tensor, Tensor]


@dataclass
class Scene:
    """An image with its labels, its phrases, and what the model sees in the labelled boxes and in
    those it finds.
    """

    labels: Annotations
    phrases: list[Reference]
    given: View
    found: View


def _kept(evidence: Evidence, *names: str) -> Tensor:
    """The score from the objectness and the named parts alone."""
    nothing = evidence.objectness.new_zeros(len(evidence.objectness), 0)
    return evidence._replace(
        **{name: nothing for name in ("category", "attributes", "phrase") if name not in names}
    ).score()


def _each_by_itself(finder: PhraseRanker, regions: RegionEmbeddings, evidence: Evidence) -> Tensor:
    """No competing words: every word has its own sigmoid, as in `detect`."""
    logits = [
        finder.classifier(regions.embeddings, words).cpu()
        for words in (finder.categories, finder.attributes)
    ]
    alone = evidence._replace(
        category=logits[0][:, : evidence.category.shape[1]].sigmoid(),
        attributes=logits[1].sigmoid(),
    )
    return _kept(alone, "category", "attributes")


def _whole_phrase(finder: PhraseRanker, regions: RegionEmbeddings, evidence: Evidence) -> Tensor:
    """sqrt(objectness * sigmoid), as for any category word."""
    words = finder.classifier.embed([Word(finder.query.text)], "category")
    return _kept(
        evidence._replace(phrase=finder.classifier(regions.embeddings, words).cpu().sigmoid()),
        "phrase",
    )


ROWS: dict[str, Callable[[PhraseRanker, RegionEmbeddings, Evidence], Tensor]] = {
    "category only": lambda finder, regions, evidence: _kept(evidence, "category"),
    "attributes only": lambda finder, regions, evidence: _kept(evidence, "attributes"),
    WHOLE: _whole_phrase,
    "whole phrase, against the category words": lambda finder, regions, evidence: _kept(
        evidence, "phrase"
    ),
    "words together, each by itself": _each_by_itself,
    "words together, against their competing words": lambda finder, regions, evidence: _kept(
        evidence, "category", "attributes"
    ),
    RULE: lambda finder, regions, evidence: evidence.score(),
}
"""Row -> scores (R,) of regions."""


class FindBenchmark:
    """model: scores the phrases. root, split: of the generated world; tune on val only. images: how
    many of the split at most.
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
        self.scenes = list(
            tqdm(self._look(wanted), total=len(wanted), unit="image", desc="looking")
        )

    @torch.no_grad()
    def _look(self, wanted: Sequence[tuple[Annotations, list[Reference]]]) -> Iterator[Scene]:
        wanted = iter(wanted)
        while part := list(islice(wanted, BATCH)):
            files = [str(labels.file) for labels, _ in part]
            given = self.model.embed(files, [labels.boxes for labels, _ in part])
            found = self.model.embed(files)
            for (labels, phrases), *seen in zip(part, given, found, strict=True):
                yield Scene(labels, phrases, *(self._view(one.regions) for one in seen))

    def _view(self, regions: RegionEmbeddings) -> View:
        return View(regions, vocabulary_logits(self.model.model.classifier, self.words, regions))

    @torch.no_grad()
    def run(self) -> dict:
        """Also how many phrases there are, and which share of them the parser read as they were
        meant.
        """
        hits, groups = (
            {name: {question: [] for question in QUESTIONS} for name in ("chance", *ROWS)},
            {"image": [], "folder": []},
        )
        understood = []
        folders = [
            self.scenes[start : start + FOLDER] for start in range(0, len(self.scenes), FOLDER)
        ]
        for scenes in tqdm(folders, unit="folder", desc="finding"):
            together, said = _together([scene.found for scene in scenes]), set()
            for scene, phrase in ((one, phrase) for one in scenes for phrase in one.phrases):
                finder = self.model.encode_phrase(phrase.text, vocabulary=self.words)
                understood.append(as_meant(finder, phrase, self.vocabulary))
                groups["image"].append(self._groups(phrase))
                overlap = (
                    box_iou(scene.found.regions.boxes.cpu(), scene.labels.boxes[[phrase.target]])[
                        :, 0
                    ]
                    >= IOU
                )
                _ask(
                    finder,
                    scene.given,
                    torch.arange(len(scene.labels)) == phrase.target,
                    hits,
                    "given",
                )
                _ask(finder, scene.found, overlap, hits, "found")
                if (words := (phrase.category, frozenset(phrase.attributes))) not in said:
                    said.add(words)
                    groups["folder"].append(self._groups(phrase))
                    _ask(
                        finder,
                        together,
                        torch.cat([self._fitting(one, phrase) for one in scenes]),
                        hits,
                        "folder",
                    )
        return summary(hits, groups, understood)

    def _groups(self, phrase: Reference) -> tuple[str, ...]:
        return "all", "base" if phrase.is_base(self.vocabulary) else "novel", phrase.kind

    def _fitting(self, scene: Scene, phrase: Reference) -> Tensor:
        """(R,) bool: the found boxes that lie on an object which the words of the phrase fit."""
        columns = [self.vocabulary.attribute_index[name] for name in phrase.attributes]
        fits = scene.labels.categories == self.vocabulary.category_index[phrase.category]
        fits &= (scene.labels.attributes[:, columns] == POSITIVE).all(dim=1)
        return (box_iou(scene.found.regions.boxes.cpu(), scene.labels.boxes[fits]) >= IOU).any(
            dim=1
        )


def as_meant(finder: PhraseRanker, phrase: Reference, vocabulary: Vocabulary) -> bool:
    """Whether the parser found the category and the attributes that the phrase was made from, and
    left no word out.
    """
    query = finder.query
    name_of = {
        text: word.name
        for word in (*vocabulary.categories, *vocabulary.attributes)
        for text in (word.name, *word.synonyms)
    }
    attributes = {name_of.get(name) for name in query.attributes}
    return (
        name_of.get(query.category) == phrase.category
        and attributes == set(phrase.attributes)
        and not query.unused
    )


def _together(views: Sequence[View]) -> View:
    regions = RegionEmbeddings(*map(torch.cat, zip(*(view.regions for view in views), strict=True)))
    return View(regions, tuple(map(torch.cat, zip(*(view.known for view in views), strict=True))))


def _ask(finder: PhraseRanker, view: View, right: Tensor, hits: dict, question: str) -> None:
    """Append to each row whether its best region is right (chance: the share of right ones);
    without regions, all are wrong.
    """
    evidence = finder.evidence(*view)
    hits["chance"][question].append(float(right.float().mean()) if len(right) else 0.0)
    for name, row in ROWS.items():
        hits[name][question].append(
            float(right[row(finder, view.regions, evidence).argmax()]) if len(right) else 0.0
        )


def summary(
    hits: dict[str, dict[str, list[float]]],
    groups: dict[str, list[tuple[str, ...]]],
    understood: Sequence[bool],
) -> dict:
    """Percentages by row, question and group (all, base, novel, and what makes a phrase hard),
    counts, and the lead of the rule over the whole phrase with the half-width of its 95 % interval
    (paired over phrases). A phrase is base when all its words are.
    """

    def cells(values: Sequence[float], owners: Sequence[tuple[str, ...]]) -> dict[str, float]:
        return {
            group: 100 * float(np.mean(chosen))
            for group in ("all", "base", "novel", *KINDS)
            if (
                chosen := [value for value, own in zip(values, owners, strict=True) if group in own]
            )
        }

    owners = {
        question: groups["folder" if question == "folder" else "image"] for question in QUESTIONS
    }
    lead = {}
    for question in QUESTIONS:
        difference = 100 * (np.array(hits[RULE][question]) - np.array(hits[WHOLE][question]))
        lead[question] = {
            "mean": float(difference.mean()),
            "interval": float(1.96 * difference.std(ddof=1) / np.sqrt(len(difference))),
        }
    return {
        "phrases": {
            question: {
                group: sum(group in own for own in owners[question])
                for group in ("all", "base", "novel", *KINDS)
            }
            for question in QUESTIONS
        },
        "understood": 100 * float(np.mean(understood)),
        "rank_1": {
            name: {question: cells(values, owners[question]) for question, values in row.items()}
            for name, row in hits.items()
        },
        "lead_over_whole_phrase": lead,
    }


def markdown(result: dict) -> str:
    """One table per question, and what stands beside the numbers."""
    titles = {
        "given": "boxes given",
        "found": "boxes found, IoU >= 0.5",
        "folder": f"best box of a folder of up to {FOLDER} images",
    }
    lines = [f"phrases read as they were meant: {result['understood']:.1f} %"]
    for question, title in titles.items():
        counts = result["phrases"][question]
        groups = [group for group, count in counts.items() if count]
        lines += [
            "",
            f"Rank-1 accuracy in %, {title}",
            "",
            "| | " + " | ".join(f"{group} ({counts[group]})" for group in groups) + " |",
            "|---" * (len(groups) + 1) + "|",
        ]
        lines += [
            f"| {name} | " + " | ".join(f"{row[question][group]:.1f}" for group in groups) + " |"
            for name, row in result["rank_1"].items()
        ]
        lead = result["lead_over_whole_phrase"][question]
        lines += [
            "",
            f"the rule minus the whole phrase: {lead['mean']:+.1f} ± {lead['interval']:.1f} (95 "
            "%, paired)",
        ]
    return "\n".join(lines) + "\n"


def reproduce_find(
    model: str,
    root: str | Path,
    output: str | Path,
    *,
    split: str = "test",
    images: int | None = None,
) -> str:
    """Run the benchmark with a model that `ovarnet.load` opens; writes find.json and find.md into
    `output`, returns the tables.
    """
    import ovarnet

    result = FindBenchmark(ovarnet.load(model), root, split, images=images).run()
    table = markdown(result)
    write_json(
        Path(output) / "find.json", {"model": str(model), "split": split, **result}, indent=1
    )
    write_text(Path(output) / "find.md", table)
    return table
