"""Serve a web page and an HTTP API that detect with any words you name, on this machine.

The page works offline. Drop a picture, type words, move the thresholds, click a box to see all its
scores, draw a box of your own, look for a phrase, save the results. /docs describes the API.

Examples:
  ovarnet serve                                  then open http://127.0.0.1:8000
  ovarnet serve --model photos                   faster: one pass per picture
  ovarnet serve --catalogue shop/index           and a page that searches products
  ovarnet serve --host 0.0.0.0 --port 8080       for other machines; there is no log-in
"""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ovarnet.cli.argument_types import positive
from ovarnet.cli.model_arguments import (
    TRAINED_ON_SCENES,
    add_device_argument,
    add_model_arguments,
    note_on_shipped_weights,
)
from ovarnet.errors import InputError

if TYPE_CHECKING:
    from ovarnet.catalogue.search.product_finder import ProductFinder

HELP = "serve a web page and an HTTP API that detect with any words"
ONLY_HERE = ("127.0.0.1", "localhost", "::1")
CONNECTIONS = 256
"""Open at once; more are refused before anything is read."""
NOTE_ON_SCENES = "These weights know drawn scenes alone; what they say about a photo means nothing."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ovarnet serve`."""
    add_model_arguments(parser)
    add_device_argument(parser)
    parser.add_argument(
        "--catalogue",
        type=Path,
        metavar="INDEX",
        help="an index of `ovarnet catalogue index`: adds a page that searches its products",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0: for other machines too"
    )
    parser.add_argument("--port", type=port, default=8000, help="port; 0 takes a free one")
    parser.add_argument(
        "--upload-mb", type=positive, default=20, metavar="MB", help="largest upload"
    )
    parser.add_argument(
        "--megapixels", type=positive, default=50, metavar="MP", help="largest picture"
    )
    parser.add_argument(
        "--queue",
        type=positive,
        default=32,
        metavar="N",
        help="requests that wait for the model; more are answered with 503",
    )
    parser.add_argument(
        "--timeout",
        type=positive,
        default=120,
        metavar="SECONDS",
        help="longest time for an upload, and for a result",
    )


def port(text: str) -> int:
    """The number of a port."""
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 65535")
    return value


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl+C."""
    try:
        import python_multipart  # noqa: F401 (fastapi looks for it where a form is declared)
        import uvicorn

        from ovarnet.serving.app import create_app
        from ovarnet.serving.examples import PHOTOS, SCENES
        from ovarnet.serving.limits import MEGA, Limits
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("ovarnet"):
            raise
        raise InputError(
            f'the web page needs {error.name}, which is not installed: pip install "ovarnet[serve]"'
        ) from None
    import ovarnet

    opened = listen(args.host, args.port)  # first: loading a model takes longer
    products = open_catalogue(args.catalogue, args.device) if args.catalogue else None
    note_on_shipped_weights(args.model)
    model = ovarnet.load(args.model, proposer=args.proposer, device=args.device)
    of_scenes = args.model in TRAINED_ON_SCENES
    limits = Limits(
        upload_bytes=args.upload_mb * MEGA,
        pixels=args.megapixels * MEGA,
        waiting=args.queue,
        seconds=args.timeout,
    )
    app = create_app(
        model,
        args.model,
        note=NOTE_ON_SCENES if of_scenes else "",
        limits=limits,
        examples=SCENES if of_scenes else PHOTOS,
        products=products,
    )

    print(f"open http://{shown_address(args.host, opened)} in a browser; Ctrl+C stops", flush=True)
    if args.host not in ONLY_HERE:
        print("note: other machines can use this server; there is no log-in", file=sys.stderr)
    config = uvicorn.Config(app, log_level="warning", limit_concurrency=CONNECTIONS)
    uvicorn.Server(config).run(sockets=[opened])
    return 0


def open_catalogue(folder: Path, device: str) -> ProductFinder:
    """The products of an index, with the model that it was made with.

    Raises:
        InputError: there is no index, or the model is not at hand.
    """
    from ovarnet.catalogue.search.index import load_index
    from ovarnet.catalogue.search.product_finder import open_finder

    return open_finder(load_index(folder), device=device)


def listen(host: str, number: int) -> socket.socket:
    """Take a port.

    Raises:
        InputError: it is taken, or the address is not one of this machine.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        return opened
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}, port {number} ({error.strerror}); choose another --port, or "
            "--host 127.0.0.1"
        ) from None


def shown_address(host: str, opened: socket.socket) -> str:
    """What to type into a browser on this machine."""
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"{f'[{name}]' if ':' in name else name}:{opened.getsockname()[1]}"
