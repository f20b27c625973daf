"""A stand-in for the Hugging Face Hub on localhost: repositories in memory, one commit each."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from huggingface_hub import constants

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class StubHub(ThreadingHTTPServer):
    """The server.

    Attributes:
        repositories: {"organisation/name": {file: content}}.
        token: what a client must send to write.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.token = "secret"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def stub_hub(monkeypatch, cache):
    """Serve, with huggingface_hub pointed at it as HF_ENDPOINT would, and an empty cache."""
    with StubHub() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            server.url + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: StubHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._read()

    def do_GET(self):
        self._read()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if path == "/api/validate-yaml":
            return self._json({"warnings": [], "errors": []})
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self._json({"error": "Invalid username or password."}, 401)
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            self.server.repositories.setdefault(name, {})
            return self._json({"url": f"{self.server.url}/{name}"})
        _, _, _, organisation, name, action, *_ = path.split("/")
        files = self.server.repositories[f"{organisation}/{name}"]
        if action == "preupload":
            modes = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            return self._json({"files": modes})
        for line in body.splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
        url = f"{self.server.url}/{organisation}/{name}/commit/{COMMIT}"
        return self._json({"success": True, "commitUrl": url, "commitOid": COMMIT})

    def _read(self):
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts == [""]:
            return self._send(b"")
        name = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
        files = self.server.repositories.get(name)
        if files is None:
            return self._json({"error": "Repository not found"}, 404, code="RepoNotFound")
        if parts[0] == "api":
            return self._about(name, files, parts[4:])
        revision, file = parts[3], "/".join(parts[4:])
        if file not in files:
            return self._json({"error": "Entry not found"}, 404, code="EntryNotFound")
        etag = hashlib.sha256(files[file]).hexdigest()
        return self._send(files[file], ETag=f'"{etag}"', **{"X-Repo-Commit": revision})

    def _about(self, name, files, rest):
        if rest and rest[0] == "tree":
            entries = [
                {"type": "file", "path": file, "size": len(content), "oid": "0" * 40}
                for file, content in files.items()
            ]
            return self._json(entries)
        if rest[1:] not in ([], ["main"], [COMMIT]):
            return self._json({"error": "Invalid rev id"}, 404, code="RevisionNotFound")
        siblings = [{"rfilename": file} for file in files]
        return self._json({"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings})

    def _json(self, value, status=200, code=None):
        headers = {"Content-Type": "application/json"}
        if code:
            headers["X-Error-Code"] = code
        self._send(json.dumps(value).encode(), status, **headers)

    def _send(self, content, status=200, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
