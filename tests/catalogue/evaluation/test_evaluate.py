"""Rows of a retrieval report: perfect and constant vectors in every protocol."""

import numpy as np
import pytest

from ovarnet.catalogue.evaluation.evaluate import add_baselines, evaluate_retrieval
from ovarnet.catalogue.product import Product
from ovarnet.evaluation.report import Report


def products(count):
    return [
        Product(
            str(n),
            (f"{n}.jpg",),
            f"item number{n}",
            "c",
            f"s{n % 2}",
            {"color": str(n % 3)},
            f"g{n}",
        )
        for n in range(count)
    ]


def report_of(count, images, texts):
    report = Report({})
    evaluate_retrieval(products(count), images, texts, report)
    return report


def test_a_perfect_model_scores_one_everywhere():
    report = report_of(240, np.eye(240), np.eye(240))
    assert {row.value for row in report.rows} == {1.0}
    assert len(report.rows) == 16
    first = report.rows[0]
    assert (first.setting, first.measure, first.protocol, first.of) == (
        "text to image",
        "R@1",
        "all 240",
        240,
    )
    assert first.chance == pytest.approx(1 / 240)
    (pool,) = [
        row
        for row in report.rows
        if (row.setting, row.measure, row.protocol) == ("image to text", "R@5", "pool of 101")
    ]
    assert pool.chance == pytest.approx(5 / 101)
    assert pool.of == 1200
    assert "100.0 % of the wrong answers are of the query's subcategory" in report.notes[-1]


def test_a_constant_model_is_worst():
    same = np.ones((120, 4)) / 2
    report = report_of(120, same, same)
    assert {row.value for row in report.rows if row.measure == "R@10"} == {0.0}


def test_too_few_products_for_pools_is_a_note():
    report = report_of(50, np.eye(50), np.eye(50))
    assert {row.protocol for row in report.rows} == {"all 50"}
    assert report.notes == ["no pool of 101: there are too few products"]


def test_baselines():
    pytest.importorskip("sklearn")
    report, items = Report({}), products(60)
    add_baselines(report, items, np.eye(60), items, np.eye(60), ["color"])
    rows = {(row.protocol, row.measure): row.value for row in report.rows}
    assert rows["all 60, TF-IDF baseline", "R@1"] == 1.0
    assert rows["all 60, who knows color", "R@1"] == pytest.approx(1 / 20)
