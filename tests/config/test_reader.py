import json
from dataclasses import asdict
from pathlib import Path

import pytest

from ovarnet.config import ClipTraining, load_config, resolve
from ovarnet.errors import InputError

CONFIGS = Path(__file__).parents[2] / "configs"


def write(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return path


def test_defaults_file_and_overrides_in_that_order(tmp_path):
    path = write(
        tmp_path,
        "stage: clip\noutput: a\nroot: r\nclip: {name: x}\noptimisation: {lr: 0.5, warmup: 7}\n",
    )
    config = load_config(path, ["optimisation.lr=0.25", "output=b"])
    assert isinstance(config, ClipTraining)
    assert (
        config.optimisation.lr,
        config.optimisation.warmup,
        config.optimisation.decay,
        config.output,
    ) == (0.25, 7, 0.4, "b")


@pytest.mark.parametrize("name", ["2024_01", "1:30", "010"])
def test_a_name_of_digits_on_the_command_line_stays_as_typed(tmp_path, name):
    path = write(tmp_path, "stage: clip\noutput: a\nroot: r\nclip: {name: x}\n")
    assert load_config(path, [f"output={name}"]).output == name
    assert load_config(path, ["optimisation.iterations=010"]).optimisation.iterations == 10


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("stage: clip\nouput: a\n", [], "unknown key 'ouput'; did you mean 'output'?"),
        (
            "stage: clip\noptimisation: {lrr: 1}\n",
            [],
            "unknown key 'optimisation.lrr'; did you mean 'optimisation.lr'?",
        ),
        ("stage: clip\n", ["seeed=1"], "unknown key 'seeed'; did you mean 'seed'?"),
        ("stage: klip\n", [], "stage is 'klip'; it must be one of clip"),
        ("output: a\n", [], "stage is 'None'"),
        (
            "stage: clip\noutput: a\nroot: r\nclip: {name: x}\nseed: high\n",
            [],
            "seed is 'high'; it must be a whole number",
        ),
        ("stage: clip\nroot: r\nclip: {name: x}\n", [], "output must be given"),
        ("stage: [clip\n", [], "cannot be read"),
        ("- a\n- b\n", [], "holds a list; it must hold 'key: value' lines"),
        ("stage: clip\n", ["seed"], "'seed' is not of the form KEY=VALUE"),
    ],
)
def test_mistakes_are_named(tmp_path, text, overrides, message):
    with pytest.raises(InputError) as error:
        load_config(write(tmp_path, text), overrides)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "optimisation.iterations=0",
            "optimisation.iterations is 0; it must be from 1 to 10,000,000",
        ),
        (
            "optimisation.iterations=-5",
            "optimisation.iterations is -5; it must be from 1 to 10,000,000",
        ),
        (
            "optimisation.batch_size=0",
            "optimisation.batch_size is 0; it must be from 1 to 65,536",
        ),
        (
            "optimisation.save_every=0",
            "optimisation.save_every is 0; it must be from 1 to 10,000,000",
        ),
        ("optimisation.lr=-1", "optimisation.lr is -1.0; it must be more than 0 and at most 1,000"),
        ("optimisation.lr=0", "optimisation.lr is 0.0; it must be more than 0 and at most 1,000"),
        (
            "optimisation.lr=.nan",
            "optimisation.lr is nan; it must be more than 0 and at most 1,000",
        ),
        (
            "optimisation.lr=.inf",
            "optimisation.lr is inf; it must be more than 0 and at most 1,000",
        ),
        (
            "optimisation.weight_decay=-0.1",
            "optimisation.weight_decay is -0.1; it must be from 0 to 1,000",
        ),
        ("optimisation.warmup=-1", "optimisation.warmup is -1; it must be from 0 to 10,000,000"),
        ("optimisation.workers=-1", "optimisation.workers is -1; it must be from 0 to 256"),
        (
            "optimisation.betas=[0.9,1]",
            "optimisation.betas is (0.9, 1.0); it must be 2 values, each from 0 to less than 1",
        ),
        ("optimisation.betas=[0.9]", "optimisation.betas is [0.9]; it must be 2 values"),
        ("optimisation.decay=1.1", "optimisation.decay is 1.1; it must be from 0 to 1"),
        ("optimisation.ema=1", "optimisation.ema is 1.0; it must be from 0 to less than 1"),
        (
            "optimisation.clip_norm=0",
            "optimisation.clip_norm is 0.0; it must be more than 0, or .inf: no clipping",
        ),
        (
            "optimisation.mixed_precision=foo",
            "optimisation.mixed_precision is 'foo'; it must be one of no, fp16, bf16",
        ),
        ("seed=-1", "seed is -1; it must be from 0 to 4,294,967,295"),
        ("seed=4294967296", "seed is 4294967296; it must be from 0 to 4,294,967,295"),
        ("limit=0", "limit is 0; it must be from 1 to 2,147,483,648"),
        ("output=${foo}", "output: Interpolation key 'foo' not found"),
        ("stage=[1]", "stage is '[1]'; it must be one of clip"),
        ("stage=${foo}", "stage is '${foo}'; it must be one of clip"),
        (
            "optimisation=3",
            "optimisation is '3'; it is a group of settings, such as optimisation.iterations=...",
        ),
        ("optimisation=null", "optimisation is 'None'; it is a group of settings"),
        ("optimisation=[1]", "optimisation=[1]"),
        ("clip=RN50", "clip is 'RN50'; it is a group of settings, such as clip.name=..."),
        ("clip.nmae=RN50", "unknown key 'clip.nmae'; did you mean 'clip.name'?"),
    ],
)
def test_bad_values_are_named_as_the_user_writes_them(tmp_path, override, message):
    path = write(
        tmp_path, "stage: clip\noutput: a\nroot: r\nclip: {name: x}\noptimisation: {lr: 0.5}\n"
    )
    with pytest.raises(InputError) as error:
        load_config(path, [override])
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert ": :" not in str(error.value)


def test_the_ends_of_the_ranges_are_allowed(tmp_path):
    path = write(tmp_path, "stage: proposer\noutput: a\ndetection: {root: r}\nclip: null\n")
    config = load_config(
        path,
        [
            f"optimisation.{setting}"
            for setting in (
                "iterations=1",
                "batch_size=1",
                "save_every=1",
                "lr=1e-9",
                "weight_decay=0",
                "warmup=0",
                "workers=0",
                "betas=[0,0]",
                "decay=1",
                "ema=0",
                "clip_norm=.inf",
                "mixed_precision=no",
            )
        ]
        + ["seed=4294967295", "limit=1", "output=${detection.root}"],
    )
    assert asdict(config.optimisation) == {
        "iterations": 1,
        "batch_size": 1,
        "lr": 1e-9,
        "weight_decay": 0.0,
        "betas": (0.0, 0.0),
        "warmup": 0,
        "decay": 1.0,
        "clip_norm": float("inf"),
        "ema": 0.0,
        "save_every": 1,
        "workers": 0,
        "mixed_precision": "no",
    }
    assert (config.seed, config.limit, config.output) == (4294967295, 1, "r")
    shares = load_config(
        write(
            tmp_path, "stage: clip_attr\noutput: a\ndetection: {root: r}\nattributes: {root: r}\n"
        ),
        ["detection_share=1"],
    )
    assert shares.detection_share == 1.0
    with pytest.raises(InputError, match=r"detection_share is 1\.5; it must be from 0 to 1"):
        load_config(tmp_path / "c.yaml", ["detection_share=1.5"])


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.yaml does not exist"):
        load_config(tmp_path / "nothing.yaml")


OURS = sorted(set(CONFIGS.rglob("*.yaml")) - set(CONFIGS.glob("detectron2/*.yaml")))
"""Those of detectron2's form: tests/integrations/detectron2/test_config.py."""


@pytest.mark.parametrize("path", OURS, ids=lambda p: str(p.relative_to(CONFIGS)))
def test_shipped_configs_resolve_and_stay_the_same_when_every_setting_is_stated(path, tmp_path):
    """A checkpoint keeps the resolved settings; as a config they are the same run."""
    config = load_config(path)
    assert load_config(write(tmp_path, json.dumps(asdict(config)))) == config


def test_resolve_names_its_source():
    from omegaconf import OmegaConf

    with pytest.raises(InputError, match="somewhere: stage is"):
        resolve(OmegaConf.create({"stage": "x"}), "somewhere")
