"""Checks of the repository's shape that no linter knows: file lengths, module names, promises, machine-specific text.

Run as `scripts/structure.py [FOLDER]`; prints one line per finding and ends with status 1 when there is any.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST_FILE = 600
CODE_ROOTS = ("src", "tests", "bench", "scripts", "studio/src")
CODE_SUFFIXES = frozenset({".py", ".ts", ".tsx", ".css"})
TEXT_ROOTS = (*CODE_ROOTS, "docs", ".ci", "requirements")
TEXT_SUFFIXES = CODE_SUFFIXES | {
    "", ".cfg", ".html", ".ini", ".json", ".md", ".mjs", ".sh", ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "generated", "studio_dist"})
VAGUE_NAMES = frozenset({"utils", "util", "common", "core", "helpers", "helper", "base", "manager"})

# Each is written with one character in brackets, so that this file does not find itself.
PROMISE = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK)\b")
PROMISE_WITH_ISSUE = re.compile(r"\bT[O]DO\(#\d+\): \S")
MACHINE_SPECIFIC = {
    re.compile(r"(?<![\w./])/(?:hom[e]|User[s])/[\w.-]+"): "somebody's home folder",
    re.compile(r"(?<![\w./-])/(?:roo[t]|wor[k])/[\w.-]+"): "a folder of one machine",
    re.compile(r"\b(?:pypi[.]org|pythonhosted[.]org|registry[.]npmjs|registry[.]yarnpkg)"): (
        "a package registry's host; whoever installs decides where packages come from"
    ),
    re.compile(r"--(?:extra-)?index-ur[l]\s*[= ]\s*\S"): "a package registry's address",
}

PALETTE = "src/modelwright/components/palette"
COMPONENT = re.compile(r"^class (\w+)\([^)]*?\bcategory=", re.MULTILINE)
HIDDEN = re.compile(r"\bhidden=True\b")
_MARGINS = "tests/components/palette/classification/test_margin_learners.py"
_SEVERAL = "tests/components/palette/classification/test_multiclass_learners.py"
_NETWORKS = "tests/components/palette/classification/test_neural_networks.py"
_WRAPPERS = "tests/components/palette/classification/test_wrappers.py"
_ANOMALIES = "tests/components/palette/anomaly_detection/test_anomaly_detection.py"
_CLUSTERS = "tests/components/palette/clustering/test_clustering.py"
_ASSETS = "tests/run/test_plan.py"
_SERVICE = "tests/inference/test_convert.py"
TESTED_BY = {
    "two_class_averaged_perceptron": _MARGINS,
    "two_class_support_vector_machine": _MARGINS,
    "multiclass_boosted_decision_tree": _SEVERAL,
    "multiclass_decision_forest": _SEVERAL,
    "multiclass_logistic_regression": _SEVERAL,
    "multiclass_neural_network": _NETWORKS,
    "two_class_neural_network": _NETWORKS,
    "one_vs_all_multiclass": _WRAPPERS,
    "one_vs_one_multiclass": _WRAPPERS,
    "pca_based_anomaly_detection": _ANOMALIES,
    "train_anomaly_detection_model": _ANOMALIES,
    "k_means_clustering": _CLUSTERS,
    "assign_data_to_clusters": _CLUSTERS,
    "train_clustering_model": _CLUSTERS,
    **dict.fromkeys(
        ("dataset", "saved_data", "saved_files", "saved_model", "saved_transformation"), _ASSETS
    ),
    "web_service_input": _SERVICE,
    "web_service_output": _SERVICE,
}


def main(root: Path) -> int:
    """Print every finding under `root`; the number to exit with."""
    findings = [*check_code(root), *check_text(root), *check_components(root)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def check_code(root: Path) -> Iterator[str]:
    """Findings about source files: too long, vaguely named, or promising something without an issue."""
    for path in files_under(root, CODE_ROOTS, CODE_SUFFIXES):
        place = path.relative_to(root)
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LONGEST_FILE:
            yield f"{place}: {len(lines)} lines; split it by what it does, at most {LONGEST_FILE}"
        for vague in sorted(VAGUE_NAMES.intersection({path.stem, path.parent.name})):
            yield f"{place}: named '{vague}'; name it for what it does"
        for number, line in enumerate(lines, start=1):
            if PROMISE.search(line) and not PROMISE_WITH_ISSUE.search(line):
                yield f"{place}:{number}: a promise without an issue; write 'TO" + "DO(#12): what'"


def check_text(root: Path) -> Iterator[str]:
    """Findings about anything readable that would be true on one machine only."""
    # Coverage and its like leave data at the top, in hidden files without a suffix.
    top = (path for path in sorted(root.iterdir()) if path.suffix or not path.name.startswith("."))
    readable = (path for path in top if path.suffix in TEXT_SUFFIXES and path.is_file())
    for path in (*readable, *files_under(root, TEXT_ROOTS, TEXT_SUFFIXES)):
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            for pattern, what in MACHINE_SPECIFIC.items():
                if found := pattern.search(line):
                    yield f"{path.relative_to(root)}:{number}: '{found.group().strip()}' is {what}"


def check_components(root: Path) -> Iterator[str]:
    """Findings about components: each has a file, a file of tests and a page of its own.

    Learners of a family are tested together, by the file that says so in TESTED_BY.
    """
    for path in sorted((root / PALETTE).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        classes = COMPONENT.findall(text)
        if not classes:
            continue
        place, category = path.relative_to(root), path.parent.name
        if len(classes) > 1:
            yield f"{place}: {' and '.join(classes)} in one file; a component has a file of its own"
        tests = root / TESTED_BY.get(
            path.stem, f"tests/components/palette/{category}/test_{path.stem}.py"
        )
        if not tests.is_file() or "def test_" not in tests.read_text(encoding="utf-8"):
            yield f"{place}: no tests in {tests.relative_to(root)}"
        page = root / "docs" / "components" / f"{path.stem.replace('_', '-')}.md"
        # What stands for a saved value is not in the palette.
        if not HIDDEN.search(text) and not page.is_file():
            yield f"{place}: no page {page.relative_to(root)}; run scripts/components"


def files_under(root: Path, folders: tuple[str, ...], suffixes: frozenset[str]) -> Iterator[Path]:
    """Files of these kinds in these folders, in name order, without what was built or installed."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            skipped = SKIPPED_FOLDERS.intersection(path.relative_to(root).parts)
            written = path.suffix in suffixes and not path.name.endswith(".d.ts")
            if written and not skipped and path.is_file():
                yield path


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
