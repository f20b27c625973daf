"""The trained route on hand-set tags, heads and dependencies (as en_core_web_* sets them): the same
record as by the rules."""

import pytest
import spacy
from spacy.tokens import Doc

from ovarnet.captions import CaptionParser, Pair
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary, Word

VOCABULARY = Vocabulary.of(
    ["person", "car", "dog", "orange", "cup", "bowl", "chair", "knife", "bench", "hot dog"],
    [
        "red",
        "blue",
        "dark",
        "dark blue",
        "black",
        "white",
        "brown",
        "orange",
        "brick",
        "striped",
        "running",
        "hot",
        "long",
        Word("wooden", synonyms=("wooden", "wood")),
    ],
)

# word/part of speech/number of its head/dependency; lemmas are the words unless given as word=lemma
PARSES = {
    "amod": "two/NUM/2/nummod wooden/ADJ/2/amod chairs=chair/NOUN/2/ROOT",
    "irregular plural": "long/ADJ/1/amod knives=knife/NOUN/1/ROOT",
    "acomp": "the/DET/1/det car/NOUN/2/nsubj is=be/AUX/2/ROOT red/ADJ/2/acomp",
    "relative clause": "a/DET/1/det car/NOUN/1/ROOT that/PRON/3/nsubj is=be/AUX/1/relcl "
    "red/ADJ/3/acomp",
    "two subjects": "the/DET/1/det mug/NOUN/5/nsubj and/CCONJ/1/cc the/DET/4/det bowl/NOUN/1/conj "
    "are=be/AUX/5/ROOT blue/ADJ/5/acomp",
    "two adjectives": "a/DET/4/det black/ADJ/4/amod and/CCONJ/1/cc white/ADJ/1/conj "
    "dog/NOUN/4/ROOT",
    "two adjectives said": "the/DET/1/det dog/NOUN/2/nsubj is=be/AUX/2/ROOT black/ADJ/2/acomp "
    "and/CCONJ/3/cc white/ADJ/3/conj",
    "of whom": "the/DET/1/det shirt/NOUN/5/nsubj of/ADP/1/prep the/DET/4/det man/NOUN/2/pobj "
    "is=be/AUX/5/ROOT red/ADJ/5/acomp",
    "dark-haired": "a/DET/4/det dark/ADJ/3/amod -/PUNCT/3/punct haired/ADJ/4/amod "
    "woman/NOUN/4/ROOT",
    "brown-colored": "a/DET/4/det brown/ADJ/3/npadvmod -/PUNCT/3/punct colored/VERB/4/amod "
    "dog/NOUN/4/ROOT",
    "compound": "a/DET/2/det brick/NOUN/2/compound wall/NOUN/2/ROOT",
    "material as predicate": "the/DET/1/det wall/NOUN/2/nsubj is=be/AUX/2/ROOT brick/NOUN/2/attr",
    "made of": "a/DET/1/det table/NOUN/1/ROOT made=make/VERB/1/acl of/ADP/2/prep wood/NOUN/3/pobj",
    "painted": "a/DET/1/det bench/NOUN/1/ROOT painted=paint/VERB/1/acl dark/ADJ/4/amod "
    "blue/ADJ/2/oprd",
    "term over its parts": "a/DET/3/det dark/ADJ/2/amod blue/ADJ/3/amod car/NOUN/3/ROOT",
    "hot dog": "a/DET/2/det hot/ADJ/2/amod dog/NOUN/2/ROOT on/ADP/2/prep a/DET/6/det "
    "hot/ADJ/6/amod plate/NOUN/3/pobj",
    "orange attribute": "an/DET/2/det orange/ADJ/2/amod shirt/NOUN/2/ROOT",
    "orange thing": "an/DET/1/det orange/NOUN/1/ROOT on/ADP/1/prep a/DET/4/det plate/NOUN/2/pobj",
    "no noun": "a/DET/1/det girl/NOUN/1/ROOT in/ADP/1/prep red/ADJ/2/pobj",
    "denied": "a/DET/1/det shirt/NOUN/1/ROOT that/PRON/3/nsubj is=be/AUX/1/relcl not/PART/3/neg "
    "red/ADJ/3/acomp",
    "denied, not the other": "the/DET/1/det shirt/NOUN/2/nsubj is=be/AUX/2/ROOT not/PART/2/neg "
    "red/ADJ/2/acomp but/CCONJ/4/cc "
    "blue/ADJ/4/conj",
    "no longer": "the/DET/1/det dog/NOUN/2/nsubj is=be/AUX/2/ROOT no/ADV/4/neg "
    "longer/ADV/2/advmod brown/ADJ/2/acomp",
    "without": "a/DET/1/det table/NOUN/1/ROOT without/ADP/1/prep a/DET/5/det red/ADJ/5/amod "
    "cloth/NOUN/2/pobj",
    "without or": "a/DET/1/det man/NOUN/1/ROOT without/ADP/1/prep a/DET/4/det hat/NOUN/2/pobj "
    "or/CCONJ/4/cc a/DET/8/det red/ADJ/8/amod "
    "coat/NOUN/4/conj",
    "no": "no/DET/2/det red/ADJ/2/amod cars=car/NOUN/2/ROOT on/ADP/2/prep the/DET/5/det "
    "street/NOUN/3/pobj",
    "one and one": "two/NUM/1/nummod dogs=dog/NOUN/1/ROOT ,/PUNCT/1/punct one/NUM/4/nummod "
    "black/ADJ/1/appos and/CCONJ/4/cc "
    "one/NUM/7/nummod white/ADJ/4/conj",
    "pattern": "a/DET/1/det cup/NOUN/1/ROOT with/ADP/1/prep a/DET/5/det striped/ADJ/5/amod "
    "pattern/NOUN/2/pobj",
    "action": "a/DET/1/det dog/NOUN/1/ROOT running=run/VERB/1/acl in/ADP/2/prep grass/NOUN/3/pobj",
    "action said": "a/DET/1/det dog/NOUN/3/nsubj is=be/AUX/3/aux running=run/VERB/3/ROOT "
    "in/ADP/3/prep grass/NOUN/4/pobj",
    "possessor": "the/DET/1/det boy/NOUN/4/poss 's/PART/1/case red/ADJ/4/amod shirt/NOUN/4/ROOT",
}


@pytest.fixture(scope="module")
def parser() -> CaptionParser:
    return CaptionParser(VOCABULARY, "rules")


def parsed_doc(parser: CaptionParser, parse: str) -> Doc:
    tokens = [token.rsplit("/", 3) for token in parse.split(" ")]
    words = [token[0].split("=")[0] for token in tokens]
    spaces = [
        not (word == "-" or following in ("-", ",", "'s"))
        for word, following in zip(words, [*words[1:], ""], strict=True)
    ]
    return Doc(
        parser.nlp.vocab,
        words,
        [*spaces[:-1], False],
        lemmas=[token[0].split("=")[-1] for token in tokens],
        pos=[token[1] for token in tokens],
        heads=[int(token[2]) for token in tokens],
        deps=[token[3] for token in tokens],
    )


@pytest.mark.parametrize("parse", PARSES.values(), ids=PARSES)
def test_same_record_as_the_rules(parser, parse):
    doc = parsed_doc(parser, parse)
    by_rules = parser.parse(doc.text)
    by_dependencies = parser.parse_doc(doc)
    assert by_rules.pairs or by_rules.categories or by_rules.phrases
    assert by_dependencies == by_rules


def test_a_parse_is_used_where_the_rules_would_read_otherwise(parser):
    """ "brown" as the dog's, by its head, although "cat" follows."""
    doc = parsed_doc(parser, "dog/NOUN/0/ROOT brown/ADJ/0/amod cat/NOUN/0/dep")
    assert parser.parse_doc(doc).pairs == (Pair("brown", "dog", "dog"),)
    assert parser.parse(doc.text).pairs == (Pair("brown", "cat"),)


def test_a_pipeline_without_a_parser_is_refused():
    with pytest.raises(InputError, match='this spaCy pipeline has no "parser"'):
        CaptionParser(VOCABULARY, spacy.blank("en"))


def test_a_pipeline_with_a_parser_is_run():
    """Stands for en_core_web_*: a component that sets a parse is all the parser asks of a
    pipeline."""

    @spacy.Language.component("all_amod_of_the_last")
    def parse(doc):
        words = [token.text for token in doc]
        return Doc(
            doc.vocab,
            words,
            pos=["ADJ"] * (len(doc) - 1) + ["NOUN"],
            heads=[len(doc) - 1] * len(doc),
            deps=["amod"] * (len(doc) - 1) + ["ROOT"],
            lemmas=words,
        )

    nlp = spacy.blank("en")
    nlp.add_pipe("all_amod_of_the_last", name="parser")
    nlp.meta["name"] = "tiny"
    parser = CaptionParser(VOCABULARY, nlp)
    assert parser.pipeline == "en_tiny"
    records = list(parser.parse_many(["red jump dog", "blue cat"]))
    assert [record.pairs for record in records] == [
        (("red", "dog", "dog"),),
        (("blue", "cat", None),),
    ]
