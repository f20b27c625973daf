"""WordPiece tokens of titles, with the span of every word.

T tokens of a text, special tokens included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from ovarnet.errors import InputError

PAD, UNKNOWN, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL = (PAD, UNKNOWN, CLS, SEP, MASK)
TOKENIZER_FILE = "tokenizer.json"
MOST_PIECES = 2000
"""Of a vocabulary that is trained on the titles of one shop."""
TITLE, IMAGE, QUERY = 0, 1, 2
"""Segments. Title and image are BERT's two; the query's is a row of its own."""


@dataclass(frozen=True)
class TitleTokens:
    """A title, with a query before it where there is one, as BERT reads it.

    Attributes:
        ids: T token ids, [CLS] first and [SEP] last.
        words: The word of each token, counted from 0 over query and title; -1: a special token.
        segments: TITLE or QUERY for each token.
        names: The words as written, in lower case.
        was_cut: Whether tokens were left out.
    """

    ids: list[int]
    words: list[int]
    segments: list[int]
    names: list[str]
    was_cut: bool = False

    def spans(self) -> dict[int, list[int]]:
        """Word -> the positions of its tokens."""
        found: dict[int, list[int]] = {}
        for position, word in enumerate(self.words):
            if word >= 0:
                found.setdefault(word, []).append(position)
        return found


class WordPiece:
    """BERT's tokenizer.

    Args:
        tokenizer: Of the `tokenizers` library, with BERT's five special tokens.

    Raises:
        InputError: A special token is missing.

    Attributes:
        size: Number of pieces.
        pad, unknown, cls, sep, mask: Ids of the special tokens.
    """

    def __init__(self, tokenizer: Tokenizer):
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer = tokenizer
        self.size: int = tokenizer.get_vocab_size()
        self.pad, self.unknown, self.cls, self.sep, self.mask = (
            _special_id(tokenizer, piece) for piece in SPECIAL
        )
        self.special = frozenset((self.pad, self.unknown, self.cls, self.sep, self.mask))

    @classmethod
    def read(cls, path: str | Path) -> WordPiece:
        """Read a tokenizer.json.

        Raises:
            InputError: It does not exist or is no tokenizer.
        """
        if not Path(path).is_file():
            raise InputError(f"{path} does not exist; a BERT folder needs its tokenizer.json")
        try:
            return cls(Tokenizer.from_file(str(path)))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        except Exception as error:  # the library raises no narrower class
            raise InputError(f"{path} is not a tokenizer ({error}); copy it again") from None

    @classmethod
    def train(cls, titles: Iterable[str], size: int = MOST_PIECES) -> WordPiece:
        """Make a vocabulary of titles: every letter, then the most frequent words.

        The library's trainer breaks ties in another way at every call, so that no run could be
        repeated or resumed exactly.

        Args:
            titles: Of the training products, in any order.
            size: Most pieces; letters are kept even where they are more.
        """
        tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()

        counts = Counter(
            word
            for title in titles
            for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(
                tokenizer.normalizer.normalize_str(title)
            )
        )
        first = {word[0] for word in counts}
        following = {f"##{letter}" for word in counts for letter in word[1:]}
        words = sorted(counts, key=lambda word: (-counts[word], word))
        letters = [*SPECIAL, *sorted(first), *sorted(following)]
        longer = [word for word in words if len(word) > 1]
        pieces = [*letters, *longer[: max(0, size - len(letters))]]

        numbers = {piece: number for number, piece in enumerate(pieces)}
        tokenizer.model = models.WordPiece(vocab=numbers, unk_token=UNKNOWN)
        tokenizer.add_special_tokens(list(SPECIAL))
        return cls(tokenizer)

    def to_json(self) -> str:
        """The text of a tokenizer.json."""
        return self.tokenizer.to_str()

    def encode(self, title: str, query: str | None, length: int) -> TitleTokens:
        """Tokens of a title: [CLS] title [SEP], or [CLS] query [SEP] title [SEP].

        Args:
            title: May be empty.
            query: What a customer typed; None: the model gets none.
            length: Most tokens; what is over is cut from the end of the title, and a query takes
                at most half.
        """
        ids, words, segments = [self.cls], [-1], [TITLE]
        names: list[str] = []
        was_cut = False
        parts = [(title, TITLE)] if query is None else [(query, QUERY), (title, TITLE)]
        for text, segment in parts:
            room = length // 2 if segment == QUERY else length
            room -= len(ids) + 1
            pieces, places, found = self._pieces(text)
            was_cut = was_cut or len(pieces) > room
            first = len(names)
            names += found
            ids += [*pieces[:room], self.sep]
            words += [*(first + place for place in places[:room]), -1]
            segments += [segment] * (min(len(pieces), room) + 1)
        if query is not None:
            segments[0] = QUERY
        return TitleTokens(ids, words, segments, names, was_cut)

    def decode(self, ids: Iterable[int]) -> str:
        """Text of token ids, without special tokens."""
        return self.tokenizer.decode([i for i in ids if i not in self.special])

    def _pieces(self, text: str) -> tuple[list[int], list[int], list[str]]:
        """Ids, the word of each, and the words; also words that the tokenizer leaves out."""
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        names: list[str] = []
        places: list[int] = []
        previous: int | None = None
        for word, (start, stop) in zip(encoding.word_ids, encoding.offsets, strict=True):
            if word != previous:
                names.append("")
                previous = word
            names[-1] += text[start:stop].lower()
            places.append(len(names) - 1)
        return list(encoding.ids), places, names


def _special_id(tokenizer: Tokenizer, piece: str) -> int:
    found = tokenizer.token_to_id(piece)
    if found is None:
        raise InputError(
            f"the tokenizer has no {piece}; give the tokenizer.json of a BERT, which has "
            + ", ".join(SPECIAL)
        )
    return found
