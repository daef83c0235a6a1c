from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "structure.py"


def findings(root: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, SCRIPT, root], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == (1 if done.stdout else 0)
    return done.stdout.splitlines()


def put(root: Path, place: str, text: str) -> None:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_tidy_tree_has_no_findings(tmp_path: Path) -> None:
    put(tmp_path, "src/shop/prices.py", "# TODO(#12): round to the cent\nRATE = 2\n")
    put(tmp_path, "README.md", "Put your data into ~/data or /srv/data.\n")
    assert findings(tmp_path) == []


def test_a_file_of_600_lines_is_allowed_and_one_more_is_not(tmp_path: Path) -> None:
    put(tmp_path, "src/shop/long.py", "x = 1\n" * 600)
    put(tmp_path, "tests/test_longer.py", "x = 1\n" * 601)
    assert findings(tmp_path) == [
        "tests/test_longer.py: 601 lines; split it by what it does, at most 600"
    ]


@pytest.mark.parametrize("place", ["src/shop/utils.py", "src/shop/utils/rounding.py"])
def test_a_vague_name_is_found_on_a_module_and_on_its_folder(tmp_path: Path, place: str) -> None:
    put(tmp_path, place, "x = 1\n")
    assert findings(tmp_path) == [f"{place}: named 'utils'; name it for what it does"]


# Split in two, so that the check finds nothing in this file.
@pytest.mark.parametrize(
    "line", ["# TO" + "DO: mend", "# FIX" + "ME", "// TO" + "DO(12): mend", "# TO" + "DO(#12)"]
)
def test_a_promise_without_an_issue_is_found(tmp_path: Path, line: str) -> None:
    put(tmp_path, "src/shop/prices.py", f"x = 1\n{line}\n")
    [found] = findings(tmp_path)
    assert found.startswith("src/shop/prices.py:2: a promise without an issue")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("cd /" + "home/ada/shop", "somebody's home folder"),
        ("cache: /" + "root/.cache", "a folder of one machine"),
        ("resolved https://registry." + "npmjs.org/x", "a package registry's host"),
        ("pip install --index" + "-url http://mirror/ x", "a package registry's address"),
    ],
)
def test_text_that_is_true_on_one_machine_only_is_found(
    tmp_path: Path, text: str, what: str
) -> None:
    put(tmp_path, "docs/howto/install.md", text + "\n")
    [found] = findings(tmp_path)
    assert found.startswith("docs/howto/install.md:1: ")
    assert what in found


def test_generated_and_installed_code_is_not_looked_at(tmp_path: Path) -> None:
    put(tmp_path, "studio/src/api/schema.d.ts", "export type X = 1\n" * 601)
    put(tmp_path, "studio/src/node_modules/x/utils.ts", "x\n")
    assert findings(tmp_path) == []


def test_what_other_tools_leave_behind_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".coverage").write_bytes(b"\xf1 /" + b"root/shop")
    assert findings(tmp_path) == []


def test_a_file_that_is_not_utf_8_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"caf\xe9\ncd /" + b"root/shop")
    [found] = findings(tmp_path)
    assert found.startswith("notes.txt:2: ")


WIDGET = """\
class Polish(
    Component, category="Shop"
):
    ...
"""
HOME = "src/modelwright/components/palette/shop/polish.py"


def test_a_component_needs_tests_and_a_page(tmp_path: Path) -> None:
    put(tmp_path, HOME, WIDGET)
    assert findings(tmp_path) == [
        f"{HOME}: no tests in tests/components/palette/shop/test_polish.py",
        f"{HOME}: no page docs/components/polish.md; run scripts/components",
    ]

    put(tmp_path, "tests/components/palette/shop/test_polish.py", "x = 1\n")
    put(tmp_path, "docs/components/polish.md", "# Polish\n")
    assert findings(tmp_path) == [
        f"{HOME}: no tests in tests/components/palette/shop/test_polish.py"
    ]

    put(tmp_path, "tests/components/palette/shop/test_polish.py", "def test_it() -> None: ...\n")
    assert findings(tmp_path) == []


def test_two_components_do_not_share_a_file(tmp_path: Path) -> None:
    put(tmp_path, HOME, WIDGET + WIDGET.replace("Polish", "Wax"))
    put(tmp_path, "tests/components/palette/shop/test_polish.py", "def test_it() -> None: ...\n")
    put(tmp_path, "docs/components/polish.md", "# Polish\n")
    assert findings(tmp_path) == [
        f"{HOME}: Polish and Wax in one file; a component has a file of its own"
    ]
