"""The rule-based route: the exact record of a sentence for every construction the parser knows."""

import pytest

from ovarnet.captions import CaptionParser, Pair
from ovarnet.vocabulary import Vocabulary, Word

VOCABULARY = Vocabulary.of(
    categories=[
        "person",
        "car",
        "dog",
        "hot dog",
        "orange",
        "knife",
        "skis",
        "bench",
        "teddy bear",
        "cup",
        "bowl",
        "chair",
        "book",
        Word("wine glass", synonyms=("goblet",)),
    ],
    attributes=[
        "red",
        "blue",
        "green",
        "light blue",
        "dark",
        "light",
        "black",
        "white",
        "brown",
        "gray",
        "orange",
        "striped",
        "wet",
        "small",
        "long",
        "tall",
        "brick",
        "glass",
        "metal",
        "hot",
        "snow covered",
        "parked",
        "running",
        Word("wooden", synonyms=("wooden", "wood")),
        Word("large", synonyms=("large", "big")),
        Word("colorful", synonyms=("colorful", "multi colored")),
    ],
)

# sentence | categories | attributes without a noun | attribute noun (=category) | noun phrases;
# a long one goes on in the next line
SENTENCES = """
a red car | car | | red car=car | red car
The car is red . | car | | red car=car | car
a car that is red | car | | red car=car | car
a car which is red and parked | car | | red car=car, parked car=car | car
the mug and the bowl are blue | cup, bowl | | blue mug=cup, blue bowl=bowl | mug; bowl
the mug and the bowl is blue | cup, bowl | | blue bowl=bowl | mug; bowl
a dark-haired woman | person | | dark hair | dark-haired woman
a long haired dog | dog | | long hair | long haired dog
two red shirted men | person | | red shirt | red shirted men
a brown-colored dog | dog | | brown dog=dog | brown-colored dog
two wooden chairs | chair | | wooden chair=chair | wooden chairs
A small black and white dog | dog | | small dog=dog, black dog=dog, white dog=dog |
    small black and white dog
a red, white and blue hat | | | red hat, white hat, blue hat | red, white and blue hat
a big, wet dog | dog | | large dog=dog, wet dog=dog | big, wet dog
a wood and metal bench | bench | | wooden bench=bench, metal bench=bench | wood and metal bench
a brick wall | | | brick wall | brick wall
the wall is brick | | | brick wall | wall
a table made of glass | | | glass table | table
a bench painted light blue | bench | | light blue bench=bench | bench
a table without a red cloth | | | | table
a man without a hat or a red coat | person | | | man
there are no red cars on the street | | | | street
a shirt that is not red | | | | shirt
a shirt that is not red but blue | | | blue shirt | shirt
the dog is no longer wet | dog | | | dog
a light blue car , a dark blue cap | car | | light blue car=car, dark cap, blue cap |
    light blue car; dark blue cap
a small leaf covered bench | bench | | small bench=bench | small leaf covered bench
a hot dog on a hot plate | hot dog | | hot plate | hot dog; hot plate
a snow-covered bench | bench | | snow covered bench=bench | snow-covered bench
snow covered skis | skis | | snow covered ski=skis | snow covered skis
an orange shirt | | | orange shirt | orange shirt
an orange on a plate | orange | | | orange; plate
two oranges next to an orange knife | orange, knife | | orange knife=knife | oranges; orange knife
three long knives | knife | | long knife=knife | long knives
a grey dog and a gray cat | dog | | gray dog=dog, gray cat | grey dog; gray cat
a multi-coloured car , a colourful bowl | car, bowl | | colorful car=car, colorful bowl=bowl |
    multi-coloured car; colourful bowl
a goblet next to a glass bottle | wine glass | | glass bottle | goblet; glass bottle
two dogs , one black and one white | dog | | black dog=dog, white dog=dog | dogs
a black and a brown dog | dog | | black dog=dog, brown dog=dog | brown dog
a cup , blue and striped | cup | | blue cup=cup, striped cup=cup | cup
car, parked, wet and red. | car | | parked car=car, wet car=car, red car=car | car
a cup near a book that is red | cup, book | | red book=book | cup; book
that cup is red | cup | | red cup=cup | cup
a cup with a striped pattern | cup | | striped cup=cup | cup; striped pattern
a girl in red slides down a blue slide | person | red | blue slide | girl; blue slide
a man wearing blue rides a brown horse | person | blue | brown horse | man; brown horse
a dog is running in tall grass | dog | | running dog=dog, tall grass | dog; tall grass
a woman with red hair and a wet dog | person, dog | | red hair, wet dog=dog |
    woman; red hair; wet dog
The shirt of the man is red . | person | | red shirt | shirt; man
a red car's wet glass | car | | red car=car, wet glass | red car; wet glass
the boy in a blue shirt jumps | person | | blue shirt | boy; blue shirt
a toy dog collar in a green car park | | | green park | toy dog collar; green car park
a red tennis shirt | | | red shirt | red tennis shirt
she reads a book | book | | | book
the chair that is wet stops here | chair | | wet chair=chair | chair
the chairs that are wet stop here | chair | | wet chair=chair | chairs
the dog which is black and white plays | dog | | black dog=dog, white dog=dog | dog
a dog that is running jumps | dog | | running dog=dog | dog
a dog that is not wet plays | dog | | | dog
the table that is made of wood stands here | | | wooden table | table
a table that was painted red stands here | | | red table | table
the dog that chases the cat is brown | dog | | brown dog=dog | dog; cat
a dog chases a cat that is brown | dog | | brown cat | dog; cat
the dogs that bark are brown | dog | | brown dog=dog | dogs
the chair that stops here is wet | chair | | wet chair=chair | chair
there are red fire trucks | | | red truck | red fire trucks
it's a wet dog | dog | | wet dog=dog | wet dog
a dog that's wet | dog | | wet dog=dog | dog
not a dog but a wet cat | | | wet cat | wet cat
this is not a dog | | | |
a dog , never a cat | dog | | | dog
anything but a dog | | | |
every dog but the wet one | dog | | | dog
neither a dog nor a wet cat | | | |
neither wet nor brown dogs | dog | | | wet nor brown dogs
a dog other than the wet one | dog | | | dog
a table free of wet cups | | | | table
a man not wearing a red hat | person | | | man
a shirt that never was red | | | | shirt
a not wet but brown dog | dog | | brown dog=dog | not wet but brown dog
not only a wet dog but also a cat | dog | | wet dog=dog | wet dog; cat
a non-red car near an off-white cup | car, cup | | | non-red car; white cup
a brand-new red bike | | | red bike | brand-new red bike
a well-dressed tall man | person | | tall man=person | well-dressed tall man
a three-legged brown dog | dog | | brown dog=dog | three-legged brown dog
a horse-drawn red carriage | | | red carriage | horse-drawn red carriage
a chair without a back | chair | | | chair
a dog lies on its back | dog | | | dog; back
a cup full of water | cup | | | cup; water
"""


@pytest.fixture(scope="module")
def parser() -> CaptionParser:
    return CaptionParser(VOCABULARY, "rules")


@pytest.mark.parametrize(
    "line",
    SENTENCES.strip().replace("\n    ", " ").splitlines(),
    ids=lambda line: line.split("|")[0].strip(),
)
def test_exact_record(parser, line):
    text, categories, alone, pairs, phrases = (part.strip() for part in line.split("|"))
    expected = [_pair(said) for said in pairs.split(", ") if said]
    record = parser.parse(text)
    assert record.text == text
    assert list(record.categories) == [name for name in categories.split(", ") if name]
    assert set(record.pairs) == set(expected)
    assert len(record.pairs) == len(expected)
    assert set(record.attributes) == {pair.attribute for pair in expected} | {
        name for name in alone.split(", ") if name
    }
    assert list(record.phrases) == [phrase for phrase in phrases.split("; ") if phrase]


def _pair(said: str) -> Pair:
    """ "light blue car=car" -> Pair("light blue", "car", "car"): the longest attribute of the
    vocabulary that it starts with."""
    words, _, category = said.partition("=")
    attribute = max(
        (name for name in VOCABULARY.attribute_names if words.startswith(name + " ")), key=len
    )
    return Pair(attribute, words[len(attribute) + 1 :], category or None)


def test_words_keep_their_order_of_mention(parser):
    record = parser.parse("a wet dog and a red car and a wet bench")
    assert record.categories == ("dog", "car", "bench")
    assert record.attributes == ("wet", "red")
    assert record.pairs == (
        Pair("wet", "dog", "dog"),
        Pair("red", "car", "car"),
        Pair("wet", "bench", "bench"),
    )


def test_general_synonyms_yield_to_the_vocabulary():
    """ "mug" means the COCO word cup, unless the vocabulary has a mug of its own."""
    assert CaptionParser(Vocabulary.of(["cup"]), "rules").parse("a mug").categories == ("cup",)
    assert CaptionParser(Vocabulary.of(["cup", "mug"]), "rules").parse("a mug").categories == (
        "mug",
    )
    assert CaptionParser(Vocabulary.of(["mug"]), "rules").parse("a cup").categories == ()


def test_a_string_of_several_words_means_all_of_them():
    """OVAD gives "white" to a colour, a hair colour and a colour of clothes."""
    words = [
        Word("color:white", synonyms=("white",)),
        Word("clothes color:white", synonyms=("white",)),
    ]
    record = CaptionParser(Vocabulary.of(attributes=words), "rules").parse("a white dog")
    assert record.pairs == (Pair("color:white", "dog"), Pair("clothes color:white", "dog"))
