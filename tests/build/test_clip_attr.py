"""CLIP-Attr from a folder, and from any CLIP."""

import json

import pytest
import torch

from ovarnet.build import SHIPPED, checkpoint_clip_attr, stock_clip_attr
from ovarnet.build.clip_attr import restore_scores
from ovarnet.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.proposals.from_file import FileProposals
from ovarnet.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def shipped():
    return load_checkpoint(SHIPPED / "scenes-clip-attr")


def test_the_shipped_folder_is_restored_part_by_part(shipped):
    model = checkpoint_clip_attr(shipped)
    assert model.vocabulary == shipped.vocabulary
    prompts = model.classifier.prompts
    assert isinstance(prompts, LearnedPrompts)
    assert (list(prompts.counts), prompts.parent_type) == ([2, 1, 1], True)
    for part, module in (("clip", model.clip.model), ("prompts", prompts)):
        stored = shipped.part(part)
        assert all(torch.equal(stored[name], value) for name, value in module.state_dict().items())
    expected = [shipped.settings["calibration"][kind] for kind in ("category", "attribute")]
    assert torch.allclose(model.classifier.calibration, torch.tensor(expected))
    assert model.classifier.probe is None
    assert not model.training


def test_another_proposer_replaces_its_own(shipped, tmp_path):
    (tmp_path / "boxes.json").write_text(json.dumps({}))
    model = checkpoint_clip_attr(shipped, tmp_path / "boxes.json")
    assert isinstance(model.proposer, FileProposals)


def test_a_folder_of_another_model_is_refused(tmp_path):
    other = Checkpoint(tmp_path, "clip", {"clip": {"name": "RN50"}}, Vocabulary())
    with pytest.raises(InputError, match="holds a 'clip', not a whole model"):
        checkpoint_clip_attr(other)


def test_a_probe_and_a_calibration_are_restored(tmp_path):
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    names = {"category": ["mug"], "attribute": []}
    probe = LinearProbe(names, clip.embed_dim)
    probe.set("category", (2.0, 1.0), torch.ones(1, clip.embed_dim + 1))
    folder = save_checkpoint(
        tmp_path / "probed",
        model="probe",
        settings={"probe": names, "calibration": {"category": [3.0, -1.0]}},
        vocabulary=Vocabulary.of(["mug"]),
        parts={"probe": probe.state_dict()},
    )
    classifier = TextClassifier(clip, TemplatePrompts())
    restore_scores(classifier, load_checkpoint(folder))
    assert classifier.calibration[0].tolist() == [3, -1]
    assert classifier.calibration[1].isnan().all()
    assert torch.equal(classifier.probe.category_weights, probe.category_weights)


def test_a_stock_clip_has_templates_and_no_words(tmp_path):
    (tmp_path / "boxes.json").write_text(json.dumps({}))
    clip = load_clip("ovarnet-scenes", None, random_weights=True)
    torch.save(clip.model.state_dict(), tmp_path / "clip.pt")
    model = stock_clip_attr(f"ovarnet-scenes/{tmp_path / 'clip.pt'}", tmp_path / "boxes.json")
    assert isinstance(model.classifier.prompts, TemplatePrompts)
    assert model.vocabulary == Vocabulary()
    assert model.classifier.calibration.isnan().all()
    with pytest.raises(InputError, match="ViT-B-16 names no weights; write clip-attr:ARCH/TAG"):
        stock_clip_attr("ViT-B-16", "scenes")
