"""Our encoder against transformers' BertModel, on folders that transformers wrote."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_bert import BertForPreTraining, tiny_bert

from ovarnet.catalogue.modeling.bert import Bert, init_deviation, load_bert
from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    return folder, tiny_bert(folder)


def batch():
    ids = torch.tensor([[2, 7, 9, 3], [2, 8, 3, 0]])
    segments = torch.tensor([[0, 0, 1, 1], [0, 0, 0, 0]])
    return ids, segments, ids == 0


def states(bert, ids, segments, padding):
    with torch.no_grad():
        found = bert.encode(bert.embed(ids, segments), padding)
        return found, bert.pool(found)


def test_hidden_states_and_pooled_output_are_those_of_transformers(folder):
    path, reference = folder
    bert, tokenizer = load_bert(path, layers=None, dropout=0.1)
    ids, segments, padding = batch()
    with torch.no_grad():
        wanted = reference(ids, attention_mask=(~padding).long(), token_type_ids=segments)
    found, pooled = states(bert.eval(), ids, segments, padding)
    assert torch.allclose(found[~padding], wanted.last_hidden_state[~padding], atol=1e-5)
    assert torch.allclose(pooled, wanted.pooler_output, atol=1e-5)
    assert tokenizer.size == len(bert.tokens.weight)


def test_training_mode_without_dropout_gives_the_same(folder):
    bert, _ = load_bert(folder[0], layers=None, dropout=0.0)
    ids, segments, padding = batch()
    trained, _ = states(bert.train(), ids, segments, padding)
    evaluated, _ = states(bert.eval(), ids, segments, padding)
    assert torch.allclose(trained[~padding], evaluated[~padding], atol=1e-5)


def test_the_first_layers_alone(folder):
    path, reference = folder
    bert, _ = load_bert(path, layers=1, dropout=0.1)
    ids, segments, padding = batch()
    with torch.no_grad():
        wanted = reference(
            ids,
            attention_mask=(~padding).long(),
            token_type_ids=segments,
            output_hidden_states=True,
        ).hidden_states[1]
    found, _ = states(bert.eval(), ids, segments, padding)
    assert torch.allclose(found[~padding], wanted[~padding], atol=1e-5)
    with pytest.raises(InputError, match="this BERT has 2"):
        load_bert(path, layers=3, dropout=0.1)


def test_the_old_names_of_google_and_the_heads_of_pre_training(tmp_path):
    reference = tiny_bert(tmp_path, kind=BertForPreTraining)
    file = tmp_path / "model.safetensors"
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in load_file(file).items()
    }
    save_file(old, file)
    bert, _ = load_bert(tmp_path, layers=None, dropout=0.1)
    ids, segments, padding = batch()
    with torch.no_grad():
        wanted = reference.bert(ids, attention_mask=(~padding).long(), token_type_ids=segments)
    found, _ = states(bert.eval(), ids, segments, padding)
    assert torch.allclose(found[~padding], wanted.last_hidden_state[~padding], atol=1e-5)


def test_the_query_segment_starts_as_the_title(folder):
    bert, _ = load_bert(folder[0], layers=None, dropout=0.1)
    title, image, query = bert.segments.weight
    assert torch.equal(title, query)
    assert not torch.equal(title, image)


def test_hidden_pairs_hide_later_tokens():
    torch.manual_seed(0)
    bert = Bert(vocabulary=20, hidden=8, layers=2, heads=2, feed_forward=16).eval()
    ids = torch.tensor([[2, 7, 9, 3]])
    hidden = torch.triu(torch.ones(4, 4, dtype=torch.bool), diagonal=1)
    changed = ids.clone()
    changed[0, 3] = 5
    padding = torch.zeros(1, 4, dtype=torch.bool)
    with torch.no_grad():
        before, after = (
            bert.encode(bert.embed(x, torch.zeros_like(x)), padding, hidden) for x in (ids, changed)
        )
    assert torch.allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert not torch.allclose(before[:, 3], after[:, 3])


def test_narrow_layers_start_with_the_gain_of_bert_base():
    assert init_deviation(768) == init_deviation(3072) == 0.02
    assert init_deviation(192) == pytest.approx(0.04)
    torch.manual_seed(0)
    bert = Bert(vocabulary=500, hidden=48, layers=1, heads=4, feed_forward=192, dropout=0.0)
    layer = bert.layers[0]
    assert bert.tokens.weight.detach().std() == pytest.approx(0.02, rel=0.05)
    for weight in (bert.pooler.weight, layer.linear1.weight, layer.self_attn.in_proj_weight):
        assert weight.detach().std() == pytest.approx(0.08, rel=0.05)
    assert layer.linear2.weight.detach().std() == pytest.approx(0.04, rel=0.05)
    assert layer.self_attn.out_proj.weight.detach().std() == pytest.approx(0.08, rel=0.05)


def test_refusals(tmp_path):
    tiny_bert(tmp_path)
    (tmp_path / "tokenizer.json").write_text(WordPiece.train(["a"] * 9, 9).to_json())
    with pytest.raises(InputError, match=r"pieces and the weights"):
        load_bert(tmp_path, layers=None, dropout=0.1)
    tiny_bert(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"1234")
    with pytest.raises(InputError, match="damaged or truncated"):
        load_bert(tmp_path, layers=None, dropout=0.1)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InputError, match="as safetensors"):
        load_bert(tmp_path, layers=None, dropout=0.1)
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(InputError, match="give the folder of a BERT"):
        load_bert(tmp_path, layers=None, dropout=0.1)
