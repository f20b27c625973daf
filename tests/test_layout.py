"""Every module of the package has a test file of its name, in the folder of its name."""

from pathlib import Path

ROOT = Path(__file__).parents[1]

EXEMPT = {
    "__init__": "names what the package offers; its lines are run by every test",
    "__main__": "two lines, run as a process by tests/cli/test_main.py",
}
"""Names of files, in any folder, that need no test file -> why."""


def modules_without_test() -> set[str]:
    modules = {path.relative_to(ROOT / "ovarnet") for path in (ROOT / "ovarnet").rglob("*.py")}
    return {
        str(module)
        for module in modules
        if module.stem not in EXEMPT
        and not (ROOT / "tests" / module.with_name(f"test_{module.name}")).is_file()
    }


def test_every_module_has_a_test_file_of_its_name():
    assert modules_without_test() == set()
