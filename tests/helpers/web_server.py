"""A web server on this machine whose answers are written by hand."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


def answer(content: bytes, kind="image/png", status=200, **headers) -> Answer:
    """A whole answer; header names are written with _ for -."""

    def send(handler):
        handler.send_response(status)
        sent = {"Content-Type": kind, "Content-Length": str(len(content))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in sent.items():
            if value is not None:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return send


@contextmanager
def web_server(answers: dict[str, Answer]) -> Iterator[str]:
    """Serves `answers` by path; yields the address, without a slash at its end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answers.get(self.path, answer(b"", status=404))(self)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
