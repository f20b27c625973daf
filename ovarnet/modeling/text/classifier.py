"""Region embeddings against word embeddings: z = scale * cos(region, word) + bias (method 2.5).

R regions, W words, S strings (synonyms), D the joint embedding width. One matrix product, however
many words; a word's logit never depends on which other words are queried.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip.concept_tower import ConceptHead
from ovarnet.modeling.text.concept_reach import concept_reach
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary, WordEmbeddings
from ovarnet.vocabulary import KINDS, Kind, Vocabulary, Word

NEUTRAL_TEXTS = ("a photo.", "an object.", "a photo of an object.", "a photo of something.")


class TextClassifier(nn.Module):
    """Scores regions against words.

    The CLIP is kept out of the module tree: the module that owns it moves, trains and saves it.

    z of a word is, the first that applies:

    1. after ``calibrate(kind, scale, bias)``: scale * cos + bias, two numbers for each kind of
       word, fitted on labels of base words;
    2. with `bias` given: exp(theta) * cos + b. b is learnable and shared by both kinds. 0 is the
       authors' form, which trains from saturated sigmoids; a negative start keeps the first mean
       probability small;
    3. else, for a CLIP without any fit: exp(theta) * (cos - cos of a neutral text such as "a
       photo."). CLIP's cosines are all about .2, so sigmoid(exp(theta) * cos) would be 1 for every
       word.

    With the concepts of a photo CLIP (`compare_by_reach`), a category's cosine is divided by the
    largest that it can reach, see `concept_reach`. Not in training, and not with learned prompts,
    whose scale and bias were learned for the cosines as they are.

    Args:
        clip: its text tower encodes the words.
        prompts: the prompts around a word.
        bias: initial value of b; None: no learnable bias.

    Attributes:
        probe: a linear probe that adds to z what the user's own labels say; None: no probe. Not
            applied in training.
    """

    def __init__(
        self, clip: Clip, prompts: TemplatePrompts | LearnedPrompts, *, bias: float | None = None
    ):
        super().__init__()
        self._clip = (clip,)  # in a tuple, so that it is not registered and saved a second time
        self.prompts = prompts
        self.bias = None if bias is None else nn.Parameter(torch.tensor(float(bias)))
        # rows of KINDS: scale, bias; NaN: not calibrated
        self.calibration: Tensor
        self.register_buffer("calibration", torch.full((len(KINDS), 2), math.nan))
        self.probe: LinearProbe | None = None
        self._concept_head: tuple[ConceptHead, ...] = ()  # a tuple as above

    @property
    def clip(self) -> Clip:
        """The CLIP whose text tower encodes the words."""
        return self._clip[0]

    def calibrate(self, kind: Kind, scale: float, bias: float) -> None:
        """Set z = scale * cos + bias for words of `kind`; saved with the module's state.

        Raises:
            InputError: a number is not finite.
        """
        if not (math.isfinite(scale) and math.isfinite(bias)):
            raise InputError(
                f"calibration of {kind} words must be two finite numbers; got {scale}, {bias}"
            )
        self.calibration[KINDS.index(kind)] = torch.tensor([scale, bias])

    def compare_by_reach(self, head: ConceptHead) -> None:
        """Divide the cosines of categories by what they can reach.

        Args:
            head: of the image tower that gives the regions; its concepts are read at every call of
                `embed`.
        """
        self._concept_head = (head,)

    @property
    def concepts(self) -> Tensor | None:
        """(K, t) text embeddings of what the image tower names; see `ConceptHead`.

        None where categories are compared by their cosines as they are.
        """
        if not self._concept_head or isinstance(self.prompts, LearnedPrompts):
            return None
        return self._concept_head[0].concepts

    def joint_concepts(self) -> Tensor | None:
        """(K, D) float32 unit embeddings of the `concepts`, as words have them, or None."""
        if self.concepts is None:
            return None
        joined: Tensor = self.clip.model.text.proj.joined(self.concepts).float()
        return joined

    def encode_vocabulary(self, words: Vocabulary) -> EncodedVocabulary:
        """Encode all words of a vocabulary, once for any number of images."""
        return EncodedVocabulary(
            words,
            self.embed(words.categories, "category"),
            self.embed(words.attributes, "attribute"),
        )

    def embed(self, words: Sequence[Word], kind: Kind) -> WordEmbeddings:
        """Encode words on the CLIP's device; with gradient in training mode only."""
        with torch.set_grad_enabled(self.training and torch.is_grad_enabled()):
            encoded = self.prompts.encode(self.clip, words, kind)
            matrix, concepts = encoded.matrix, self.joint_concepts()
            if concepts is not None and kind == "category" and not self.training:
                matrix = matrix / concept_reach(matrix, concepts)
            return replace(
                encoded,
                matrix=matrix,
                names=tuple(word.name for word in words),
                neutral=self._neutral() if self._needs_neutral(kind) else None,
            )

    def logits(self, regions: Tensor, vocabulary: EncodedVocabulary) -> tuple[Tensor, Tensor]:
        """Score regions (R, D) against both kinds of word.

        Returns:
            Category logits (R, C) and attribute logits (R, A), float32.
        """
        return self(regions, vocabulary.categories), self(regions, vocabulary.attributes)

    def forward(self, regions: Tensor, words: WordEmbeddings) -> Tensor:
        """Score regions against words of one kind.

        Args:
            regions: (R, D), of any length and float dtype; R may be 0.
            words: W encoded words; W may be 0.

        Returns:
            Logits (R, W), float32.
        """
        logits = self._by_text(regions, words)
        if self.probe is None or self.training:
            return logits
        return self.probe(logits, regions, words.kind, words.names)

    def _by_text(self, regions: Tensor, words: WordEmbeddings) -> Tensor:
        cosines = self.cosines(regions, words)
        calibration = self.calibration[KINDS.index(words.kind)].to(cosines.device)
        if not calibration.isnan().any():
            return logits_of(cosines, calibration[0], calibration[1])
        scale = self.clip.logit_scale.float().exp()
        if self.bias is not None:
            return logits_of(cosines, scale, self.bias)
        neutral = (self._neutral() if words.neutral is None else words.neutral).to(cosines.device)
        return scale * (cosines - F.normalize(regions.float(), dim=-1) @ neutral.T)

    def cosines(self, regions: Tensor, words: WordEmbeddings) -> Tensor:
        """Compare regions with words (method 2.4).

        Args:
            regions: (R, D), of any length and float dtype.
            words: W encoded words.

        Returns:
            Cosines (R, W) float32, divided by what the word can reach if `compare_by_reach` says
            so; over a word's synonyms the mean in training, else the largest.

        Raises:
            InputError: the words were encoded by a CLIP of another width.
        """
        if words.matrix.shape[1] != regions.shape[1]:
            raise InputError(
                f"the words were encoded by another model: their embeddings have "
                f"{words.matrix.shape[1]} numbers and those of the regions {regions.shape[1]}"
            )
        per_string = F.normalize(regions.float(), dim=-1) @ words.matrix.to(regions.device).T
        if not words.has_synonyms:
            return per_string
        how = "mean" if self.training else "amax"
        owner = words.owner.to(regions.device).expand(len(regions), -1)
        return per_string.new_zeros(len(regions), len(words)).scatter_reduce(
            1, owner, per_string, how, include_self=False
        )

    def _needs_neutral(self, kind: Kind) -> bool:
        calibrated = not self.calibration[KINDS.index(kind)].isnan().any()
        return self.bias is None and not calibrated

    def _neutral(self) -> Tensor:
        """(1, D) unit vector: the mean of texts that name no object and no attribute."""
        features = self.clip.encode_text(NEUTRAL_TEXTS).float()
        return F.normalize(F.normalize(features, dim=-1).mean(dim=0, keepdim=True), dim=-1)


def logits_of(cosines: Tensor, scale: Tensor | float, bias: Tensor | float) -> Tensor:
    """Logits z = scale * cos + bias (method 2.5), for any shapes that broadcast."""
    return scale * cosines + bias
