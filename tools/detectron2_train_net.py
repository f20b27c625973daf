r"""Train or evaluate OvarNet and CLIP-Attr as detectron2 models.

example: python tools/detectron2_train_net.py --config-file configs/detectron2/ovarnet_scenes.yaml \
    OUTPUT_DIR runs/detectron2/ovarnet_scenes

The options are those of detectron2's tools/plain_train_net.py; docs/detectron2.md has the config.
"""

import sys

from ovarnet.errors import InputError

if __name__ == "__main__":
    try:
        from ovarnet.integrations.detectron2.train_net import launch_main

        launch_main(__doc__)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
