"""The Dockerfiles of docs/docker: what they copy, install and start exists. None is built here."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "docs/docker").glob("*.Dockerfile"))
SETUP = (ROOT / "setup.py").read_text(encoding="utf-8")


def instructions(path):
    """(instruction, rest of the line) of each line, without comments and blank lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


def rest_of(path, instruction):
    return [rest for name, rest in instructions(path) if name == instruction]


def test_there_is_one_for_the_cpu_and_one_for_cuda():
    assert [path.name for path in FILES] == ["cpu.Dockerfile", "cuda.Dockerfile"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestDockerfile:
    def test_has_known_instructions(self, path):
        known = {"FROM", "ENV", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "ENTRYPOINT", "CMD"}
        assert {name for name, _ in instructions(path)} == known
        assert instructions(path)[0][0] == "FROM"

    def test_python_is_one_that_the_package_admits(self, path):
        (image,) = rest_of(path, "FROM")
        minor = int(re.fullmatch(r"python:3\.(\d+)-slim", image)[1])
        assert minor >= int(re.search(r'python_requires=">=3\.(\d+)"', SETUP)[1])

    def test_what_is_copied_exists(self, path):
        for copied in rest_of(path, "COPY"):
            *sources, _ = copied.split()
            assert all((ROOT / source).exists() for source in sources), copied

    def test_what_setup_reads_is_copied(self, path):
        copied = {name for rest in rest_of(path, "COPY") for name in rest.split()[:-1]}
        read = set(re.findall(r'ROOT / "([\w.]+)"', SETUP))
        assert read == {"ovarnet", "README.md"}
        assert read | {"setup.py", "pyproject.toml"} <= copied

    def test_extras_exist(self, path):
        (extras,) = re.findall(r'pip install "\.\[([\w,]+)\]"', path.read_text(encoding="utf-8"))
        assert all(re.search(rf'^        "{extra}": ', SETUP, re.M) for extra in extras.split(","))

    def test_torch_is_that_of_the_package(self, path):
        (torch,) = re.findall(r'pip install "(torch[^"]+)"', path.read_text(encoding="utf-8"))
        assert f'"{torch}"' in SETUP

    def test_starts_the_command_of_the_package(self, path):
        (entry,) = rest_of(path, "ENTRYPOINT")
        (name,) = json.loads(entry)
        assert f'"{name} = ovarnet.cli.main:main"' in SETUP

    def test_says_how_it_is_built(self, path):
        assert f"docker build -f docs/docker/{path.name} " in path.read_text(encoding="utf-8")


def test_page_builds_both():
    page = (ROOT / "docs/docker.md").read_text(encoding="utf-8")
    assert re.findall(r"docker build -f docs/docker/(\S+)", page) == [path.name for path in FILES]
