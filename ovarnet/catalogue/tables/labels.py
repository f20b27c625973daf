"""Label columns of drawn products, read from photo, title or both, by fine-tuned matchers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ovarnet.catalogue.evaluation.labels import LabelScores, evaluate_labels, label_scores
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.tables.queried import QueriedProducts
from ovarnet.catalogue.tagger import load_tagger
from ovarnet.catalogue.training.features import cached_features
from ovarnet.catalogue.training.labels import BOTH, PHOTO, TITLE, LabelDataset
from ovarnet.errors import InputError
from ovarnet.evaluation.runs import Result

COLUMNS = ("category", "subcategory", "color", "pattern")
READS = {PHOTO: "photo", TITLE: "title", BOTH: "photo and title"}
MAJORITY, TFIDF = "labels: most frequent value", "labels: title, TF-IDF and logistic regression"
READ_ROWS = {f"labels: fine-tuned, {what}": read for read, what in READS.items()}
TITLES = [f"{column}: {measure}" for column in COLUMNS for measure in ("accuracy", "macro-F")]


def fine_tuned_labels(checkpoint: Path, drawn: QueriedProducts, cache: Path) -> dict[str, Result]:
    """Row of `READ_ROWS` -> columns in percent."""
    tagger = load_tagger(checkpoint, device="cpu")
    patches = tagger.encode_images
    features = cached_features(
        drawn.spread, patches.layout, patches.encoder, cache, foreground=patches.foreground
    )
    data = LabelDataset(
        drawn.spread,
        features,
        tagger.tokenizer,
        tagger.design.tokens,
        tagger.values,
        seed=0,
        patches=patches.layout.count,
    )
    scores = evaluate_labels(tagger, data, [product.all_labels for product in drawn.spread])
    return {
        row: percent({column: scores[column, read] for column in COLUMNS})
        for row, read in READ_ROWS.items()
    }


def label_baselines(training: Sequence[Product], test: Sequence[Product]) -> dict[str, Result]:
    """The most frequent value, and a linear classifier on the words of the title.

    Raises:
        InputError: scikit-learn is not installed.
    """
    majority, learned = {}, {}
    for column in COLUMNS:
        known = [product.all_labels[column] for product in training]
        truth = [product.all_labels[column] for product in test]
        most = Counter(known).most_common(1)[0][0]
        majority[column] = label_scores(truth, [most] * len(test), set(known))
        predicted = classify_titles(
            [product.title for product in training], known, [product.title for product in test]
        )
        learned[column] = label_scores(truth, predicted, set(known))
    return {MAJORITY: percent(majority), TFIDF: percent(learned)}


def classify_titles(titles: Sequence[str], values: Sequence[str], test: Sequence[str]) -> list[str]:
    """Values of test titles by logistic regression on TF-IDF.

    Raises:
        InputError: scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise InputError(
            'the TF-IDF baseline needs scikit-learn; pip install "ovarnet[catalogue]"'
        ) from None
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    classifier = LogisticRegression(C=100, max_iter=1000)
    classifier.fit(vectorizer.fit_transform(titles), list(values))
    return list(classifier.predict(vectorizer.transform(test)))


def percent(scores: dict[str, LabelScores]) -> Result:
    """Accuracy and macro-F of each column, named as in `TITLES`."""
    return {
        f"{column}: {measure}": 100 * value
        for column, found in scores.items()
        for measure, value in (("accuracy", found.accuracy), ("macro-F", found.macro_f))
    }
