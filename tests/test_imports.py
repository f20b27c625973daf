"""Imports run one way: from what a user calls down to what everything shares, without circles.

The tree is drawn in CONTRIBUTING.md. Imports are read from the source, also those inside functions.
"""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BASE = {"errors", "io", "splits", "structures", "vocabulary"}
"""What every room may use: values, files, and the one kind of error."""

CHECKPOINT = {"checkpoint", "checkpoint_settings", "shipped"}
LEARNED = {"captions", "config", "device", "losses", "memory", "modeling", "proposals"}
MODEL = BASE | LEARNED | CHECKPOINT

MAY_IMPORT = {
    "errors": set(),
    "shipped": set(),
    "memory": set(),
    "device": {"errors"},
    "io": {"errors", "structures", "vocabulary"},
    "splits": {"errors", "io"},
    "structures": {"errors"},
    "vocabulary": {"errors"},
    "drawing": BASE,
    "integrations": MODEL | {"build", "data", "drawing", "evaluation", "training"},
    "checkpoint_settings": BASE,
    "checkpoint": BASE | {"checkpoint_settings"},
    "config": {"errors", "shipped"},
    "losses": BASE | {"config"},
    "captions": BASE,
    "data": BASE | {"config"},
    "formats": BASE | {"data"},
    "modeling": BASE | {"captions", "checkpoint", "config", "device"},
    "proposals": BASE | {"checkpoint", "data", "modeling"},
    "onnx": BASE | {"modeling"},
    "build": MODEL | {"onnx"},
    "video": BASE | {"integrations", "modeling"},
    "training": MODEL | {"build", "data", "drawing"},
    "evaluation": MODEL | {"build", "data", "onnx"},
    "scenes": MODEL | {"build", "data", "drawing", "evaluation", "training"},
    "photos": MODEL | {"build", "data", "drawing", "evaluation", "training"},
    "catalogue": MODEL | {"build", "data", "drawing", "evaluation", "training"},
    "serving": MODEL | {"drawing"},
    "cli": MODEL
    | {
        "build",
        "catalogue",
        "data",
        "drawing",
        "evaluation",
        "formats",
        "onnx",
        "photos",
        "scenes",
        "serving",
        "training",
        "video",
    },
    "__main__": {"cli"},
}
"""A folder or file directly under ovarnet/ -> the others that it may import from.

`data` never imports `modeling` nor the reverse, and `scenes`, `photos` and `catalogue` are imported
by `cli` alone, so that the method is whole without them. All may import the package itself, for
`ovarnet.load` and the version.
"""


LOADED_BY_NAME = {"data.datasets -> scenes", "data.datasets -> scenes.dataset"}
"""Modules loaded by name against the table: the generated world is a dataset where it is there."""


WAYS_OUT = {
    "structures -> drawing.crops",
    "structures -> drawing.detections",
    "structures -> drawing.image_file",
    "structures -> integrations.pandas",
    "structures -> io.results",
}
"""`Detections` offers what is built on it as methods, each imported when it is called."""


@cache
def read_imports() -> dict[str, set[str]]:
    """Module -> modules of the package that it imports, both without the leading `ovarnet.`.

    A string that is the name of a module counts as an import, since `import_module` may get it.
    """
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "ovarnet").rglob("*.py")
    }
    imports = {}
    for module, path in files.items():
        found = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Constant) and node.value in files:
                found.add(node.value)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{module}: relative import; write the whole path"
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {name if name in files else node.module for name in names}
        imports[module] = found & files.keys() - {"ovarnet"}
    return {
        module.removeprefix("ovarnet."): {name.removeprefix("ovarnet.") for name in names}
        for module, names in imports.items()
        if module != "ovarnet"
    }


def room(module: str) -> str:
    return module.partition(".")[0]


def reached(imports: dict[str, set[str]], start: str) -> set[str]:
    """All that `start` imports, directly or through others."""
    seen, stack = set(), [start]
    while stack:
        new = imports.get(stack.pop(), set()) - seen
        seen |= new
        stack += new
    return seen


def circles(imports: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules that reach each other (the strongly connected components of size > 1)."""
    reach = {module: reached(imports, module) for module in imports}
    groups = {
        frozenset(other for other in reach[module] if module in reach.get(other, ()))
        for module in imports
        if module in reach[module]
    }
    return [set(group) for group in groups]


def test_circles_are_recognised():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]
    assert circles({"a": {"b"}, "b": {"c"}, "d": {"a", "b"}}) == []


def test_every_room_stands_in_the_table():
    assert {room(module) for module in read_imports()} == set(MAY_IMPORT)


def test_rooms_import_only_what_the_table_allows():
    found = {
        f"{module} -> {target}"
        for module, targets in read_imports().items()
        for target in targets
        if room(target) not in {room(module), *MAY_IMPORT[room(module)]}
    }
    assert found == LOADED_BY_NAME | WAYS_OUT


def test_ways_out_are_not_imported_with_their_module():
    tree = ast.parse((ROOT / "ovarnet/structures.py").read_text(encoding="utf-8"))
    outside_functions = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert [name for name in outside_functions if name.startswith("ovarnet")] == ["ovarnet.errors"]


def test_the_table_itself_has_no_circle():
    assert circles(MAY_IMPORT) == []


def test_no_circle_between_modules():
    """What is loaded by name or when a method is called is no circle: the module loads without."""
    imports = {
        module: {
            target for target in targets if f"{module} -> {target}" not in LOADED_BY_NAME | WAYS_OUT
        }
        for module, targets in read_imports().items()
    }
    assert circles(imports) == []


def test_data_and_modeling_do_not_reach_each_other():
    assert "modeling" not in reached(MAY_IMPORT, "data")
    assert "data" not in reached(MAY_IMPORT, "modeling")


@pytest.mark.slow
def test_the_method_is_whole_without_the_generated_world():
    """With `ovarnet.scenes` blocked the modules that name it import, and the command line builds.

    No other module names it: `test_rooms_import_only_what_the_table_allows`.
    """
    modules = sorted(
        f"ovarnet.{module}"
        for module, targets in read_imports().items()
        if room(module) != "scenes" and any(room(target) == "scenes" for target in targets)
    )
    assert {"ovarnet.cli.commands.generate", "ovarnet.data.datasets"} <= set(modules)
    code = """
import importlib, sys
sys.modules["ovarnet.scenes"] = None
for name in sys.argv[1:]:
    importlib.import_module(name)
from ovarnet.cli.main import build_parsers
build_parsers()
assert not [name for name in sys.modules if name.startswith("ovarnet.scenes.")]
"""
    command = [sys.executable, "-c", code, *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
