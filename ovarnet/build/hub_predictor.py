"""The predictor that `ovarnet.load` returns: one that can be saved and shared on the Hub.

It has the methods of huggingface_hub's `ModelHubMixin`, so that users of the Hub find what they
know: ``save_pretrained``, ``from_pretrained`` and ``push_to_hub``.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelHubMixin, constants
from huggingface_hub.errors import HFValidationError

import ovarnet
from ovarnet.build.hub import HUB, fetch_model
from ovarnet.build.model_card import card_data, card_text
from ovarnet.build.save import save_model
from ovarnet.errors import InputError
from ovarnet.modeling.clip.hub import why_unreachable
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionModel

DOWNLOAD = ("force_download", "token", "cache_dir", "local_files_only", "revision")
"""Options of `from_pretrained` that concern the Hub; the others are those of `ovarnet.load`."""


class HubPredictor(Predictor, ModelHubMixin, library_name="ovarnet"):
    """A `Predictor` with ``save_pretrained``, ``from_pretrained`` and ``push_to_hub``.

    Args:
        model: as in `Predictor`.
        options: those of `Predictor`.
    """

    def __init__(self, model: RegionModel, **options: Any):
        super().__init__(model, **options)
        self._hub_mixin_config = None  # no config.json: config.yaml says it all

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | Path, **options: Any
    ) -> HubPredictor:
        """Open a model of the Hub, or a folder of `save_pretrained`.

        Args:
            pretrained_model_name_or_path: ORGANISATION/NAME, or a folder.
            options: ``revision``, ``token``, ``cache_dir``, ``force_download`` and
                ``local_files_only`` as huggingface_hub takes them, and those of `ovarnet.load`.

        Raises:
            InputError: no such repository, no access or no network; or as `ovarnet.load`.
        """
        name = str(pretrained_model_name_or_path)
        download = {key: options.pop(key) for key in DOWNLOAD if key in options}
        folder = name if os.path.isdir(name) else fetch_model(name.removeprefix(HUB), **download)
        return ovarnet.load(folder, **options)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload the model with its card; the repository is made where there is none.

        Args:
            repo_id: ORGANISATION/NAME.
            options: as huggingface_hub takes them: ``private``, ``token``, ``commit_message``,
                ``branch``, ``create_pr``; and ``model_card_kwargs``, see `generate_model_card`.

        Returns:
            URL of the commit.

        Raises:
            InputError: no network, no such account, or a model that cannot be saved.
        """
        offline = why_unreachable()
        if offline:
            raise InputError(f"{constants.ENDPOINT} does not answer ({offline}); try again later")
        card = {"repo_id": repo_id, **(options.pop("model_card_kwargs", None) or {})}
        try:
            return super().push_to_hub(repo_id, model_card_kwargs=card, **options)
        except (HFValidationError, OSError) as error:  # HfHubHTTPError is an OSError
            raise InputError(
                f"{repo_id} cannot be uploaded to {constants.ENDPOINT} "
                f"({str(error).splitlines()[0]}); check the name, and log in with: hf auth login"
            ) from None

    def generate_model_card(self, **about: Any) -> ModelCard:
        """The README.md of the repository: what the model is, and what was measured.

        Args:
            about: of `ovarnet.build.model_card.card_text`: ``evaluations`` (metrics.json files of
                `ovarnet evaluate`), ``notes`` (Markdown), ``license`` (an identifier of the Hub)
                and ``repo_id``.

        Raises:
            InputError: a file that `ovarnet evaluate` did not write.
        """
        data = card_data(self._hub_mixin_info.model_card_data, about.pop("license", None))
        return ModelCard(
            f"---\n{data.to_yaml()}\n---\n\n{card_text(self._with_weights(), **about)}"
        )

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write the checkpoint into a folder that may hold a README.md already."""
        with tempfile.TemporaryDirectory(dir=save_directory) as temporary:
            folder = save_model(self._with_weights(), Path(temporary) / "checkpoint")
            # parts of the model that lay here before
            for old in save_directory.glob("*.safetensors"):
                old.unlink()
            for file in folder.iterdir():
                os.replace(file, save_directory / file.name)

    def _with_weights(self) -> ClipAttr | OvarNet:
        if not isinstance(self.model, (ClipAttr, OvarNet)):
            raise InputError(
                "a model of ovarnet export has no weights to save; share its .onnx files"
            )
        return self.model
