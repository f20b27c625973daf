"""The text tower as a function of token ids."""

import torch
from small_ovarnet import small_ovarnet
from small_photo_clip import SIZE

from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.onnx.text_graph import TextGraph, settings_of


@torch.no_grad()
def test_learned_vectors_follow_the_tokens_in_the_table():
    model = small_ovarnet(learned=True, box_stage_width=0)
    clip, prompts = model.clip, model.classifier.prompts
    graph = TextGraph(clip, prompts)
    sequences = [[*clip.text_tower.start, ~0, 320, ~2, *clip.text_tower.end], [49406, 530, 49407]]
    expected = clip.encode_sequences(sequences, prompts.vectors)

    rows = graph.settings.tokens
    tokens = torch.tensor([[49406, rows, 320, rows + 2, 49407], [49406, 530, 49407, 0, 0]])
    assert torch.allclose(graph(tokens, torch.tensor([5, 3])), expected, atol=1e-5)


@torch.no_grad()
def test_padding_of_a_bidirectional_tower_does_not_count(photo_clip):
    assert photo_clip.image_size == SIZE
    graph = TextGraph(photo_clip, TemplatePrompts())
    tokens, lengths = torch.tensor([[101, 2000, 102, 5, 6], [101, 2000, 102, 0, 0]]), [3, 3]
    ours = graph(tokens, torch.tensor(lengths))
    assert torch.allclose(ours[0], ours[1], atol=1e-6)
    assert torch.allclose(ours[:1], photo_clip.encode_sequences([[101, 2000, 102]]), atol=1e-5)


@torch.no_grad()
def test_concepts_are_a_second_output(photo_clip):
    concepts = torch.eye(photo_clip.embed_dim)[:2]
    graph = TextGraph(photo_clip, TemplatePrompts(), concepts)
    tokens, lengths = torch.tensor([[101, 2000, 102]]), torch.tensor([3])
    plain = TextGraph(photo_clip, TemplatePrompts())
    embeddings, found = graph(tokens, lengths)
    assert torch.equal(embeddings, plain(tokens, lengths))
    assert torch.equal(found, concepts)
    assert (plain.outputs, graph.outputs) == (("embeddings",), ("embeddings", "concepts"))
    assert graph.settings.has_concepts
    assert not plain.settings.has_concepts


def test_settings_of_a_tower():
    tower = small_ovarnet(box_stage_width=0).clip.text_tower
    settings = settings_of(tower)
    assert (settings.start, settings.end) == ((49406,), (49407,))
    assert (settings.context_length, settings.tokens, settings.width) == (77, 49408, 96)
    assert not settings.full_context
