"""A server on a free port of this machine, in a thread of the test."""

import threading
import time
from contextlib import contextmanager

import uvicorn

from ovarnet.cli.commands.serve import listen


@contextmanager
def running(app):
    """Serves `app`; gives its address."""
    opened = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{opened.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()
