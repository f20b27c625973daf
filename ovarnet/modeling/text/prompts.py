"""From words to text embeddings (method 2.4).

Hand-written templates, or vectors learned around the word and its parent type.

W words, S strings (a word with synonyms has several), D the joint embedding width, d the text
tower's width. Both kinds of prompt have one method, `encode`, and treat every word alone: a word's
rows do not depend on which other words are encoded with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.word_embeddings import WordEmbeddings
from ovarnet.vocabulary import NEUTRAL_PARENT, Kind, Word

CATEGORY_TEMPLATES = [
    "a photo of a {}.",
    "a photo of the {}.",
    "a close-up photo of a {}.",
    "a cropped photo of a {}.",
    "a photo of one {}.",
    "there is a {} in the scene.",
]
"""A few of the templates that the CLIP paper found to help on ImageNet; an ensemble is their
mean."""

ATTRIBUTE_TEMPLATES = [
    "a photo of something {}.",
    "a photo of a {} object.",
    "a photo of something that is {}.",
    "a close-up photo of a {} thing.",
    "the object is {}.",
    "{}.",
]
"""Attributes are adjectives, participles and phrases ("made of wood", "sitting"), so some templates
put them after the noun."""


class TemplatePrompts(nn.Module):
    """The mean of a word's embeddings in several sentences, without anything to learn.

    Args:
        category_templates: sentences such as "a photo of a {}.", with one {} where the word goes.
        attribute_templates: the same, for attributes.

    Raises:
        InputError: no template, or one without exactly one {}.
    """

    def __init__(
        self,
        category_templates: Sequence[str] = CATEGORY_TEMPLATES,
        attribute_templates: Sequence[str] = ATTRIBUTE_TEMPLATES,
    ):
        super().__init__()
        self.templates = {
            "category": list(category_templates),
            "attribute": list(attribute_templates),
        }
        for kind, templates in self.templates.items():
            wrong = [template for template in templates if template.count("{}") != 1]
            if wrong or not templates:
                raise InputError(
                    f"{kind} templates need one {{}} each, where the word goes; got "
                    f"{wrong or 'no template'}"
                )

    def encode(self, clip: Clip, words: Sequence[Word], kind: Kind) -> WordEmbeddings:
        """Encode words with any CLIP, SigLIP-like ones included.

        Raises:
            InputError: a word does not fit into the context length.
        """
        strings, owner = _strings(words)
        templates = self.templates[kind]
        sentences = [template.replace("{}", string) for string in strings for template in templates]
        features = F.normalize(clip.encode_text(sentences).float(), dim=-1)
        matrix = F.normalize(
            features.view(len(strings), len(templates), clip.embed_dim).mean(dim=1), dim=-1
        )
        return WordEmbeddings(matrix, owner.to(matrix.device), len(words), kind)


class LearnedPrompts(nn.Module):
    """Vectors learned around a word and its parent type (method 2.4).

    [SOT] p1..p10 word p11..p20 parent type p21..p30 [EOT]: the vectors p are shared by all words
    and by both kinds; word and type use the CLIP's own token embeddings.

    Args:
        width: d, `clip.text_width`.
        vectors: how many stand before the word, between word and parent type, and after it; each
            may be 0.
        parent_type: False leaves the type out, for ablation.
    """

    def __init__(
        self, width: int, vectors: tuple[int, int, int] = (10, 10, 10), *, parent_type: bool = True
    ):
        super().__init__()
        self.counts, self.parent_type = tuple(vectors), parent_type
        self.vectors = nn.Parameter(torch.empty(sum(self.counts), width).normal_(std=0.02))

    def encode(self, clip: Clip, words: Sequence[Word], kind: Kind) -> WordEmbeddings:
        """Encode words; differentiable in the vectors and in the text tower.

        Raises:
            InputError: a word does not fit into the context length, or a CLIP of another width or
                without a text tower that takes vectors.
        """
        if self.vectors.shape[1] != clip.text_width:
            raise InputError(
                f"the prompt vectors are {self.vectors.shape[1]} wide but the text tower of "
                f"{clip.name} is {clip.text_width}"
            )
        strings, owner = _strings(words)
        parents = [_spaced(words[word].parent or NEUTRAL_PARENT) for word in owner.tolist()]
        sequences = [
            self.layout(clip, string, parent)
            for string, parent in zip(strings, parents, strict=True)
        ]
        matrix = F.normalize(clip.encode_sequences(sequences, self.vectors).float(), dim=-1)
        return WordEmbeddings(matrix, owner.to(matrix.device), len(words), kind)

    def layout(self, clip: Clip, word: str, parent: str) -> list[int]:
        """Token ids of the whole prompt; ~k, a negative number, stands for vector k."""
        tower = clip.require_text_tower()
        word_ids, parent_ids = tower.tokenize([word, parent if self.parent_type else ""])
        marks = [~k for k in range(sum(self.counts))]
        before, between = self.counts[0], self.counts[0] + self.counts[1]
        sequence = [
            *tower.start,
            *marks[:before],
            *word_ids,
            *marks[before:between],
            *parent_ids,
            *marks[between:],
            *tower.end,
        ]
        if not word_ids:
            raise InputError(f"the word {word!r} holds nothing the tokenizer can read")
        room = clip.context_length - (len(sequence) - len(word_ids))
        if len(word_ids) > room:
            raise InputError(
                f"the word {_shown(word)} needs {len(word_ids)} tokens but the prompt has room "
                f"for {room}; shorten it"
            )
        return sequence


def _strings(words: Sequence[Word]) -> tuple[list[str], Tensor]:
    """What is encoded, word by word ('_' becomes a space), and the word of each string, (S,)."""
    strings = [_spaced(string) for word in words for string in word.strings]
    return strings, torch.tensor(
        [column for column, word in enumerate(words) for _ in word.strings], dtype=torch.long
    )


def _spaced(text: str) -> str:
    return " ".join(text.replace("_", " ").split())


def _shown(word: str) -> str:
    return repr(word if len(word) <= 60 else word[:57] + "...")
