"""The walls of the house: imports run one way (docs/decisions.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "corpora": {"corpora"},
    "embeddings": {"embeddings"},
    "matcher": {"corpora", "embeddings", "matcher"},
    "api": {"corpora", "embeddings", "matcher", "api"},
}
OURS = {*MAY_IMPORT, "notebooks", "tests", "benchmarks"}


def imported(path: Path) -> set[str]:
    """First parts of all modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_run_one_way(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    crossings = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imported(path) & OURS - MAY_IMPORT[package]
    }
    assert not crossings


def test_sql_stands_only_in_stores() -> None:
    """Statements of SQL are written in store modules, snapshots and migrations only."""
    allowed = {"store.py", "database.py", "snapshot.py", "sqlite.py"}
    for package in MAY_IMPORT:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.name in allowed or "migrations" in path.parts:
                continue
            text = path.read_text(encoding="utf-8")
            assert not any(word in text for word in ("SELECT ", "INSERT INTO", "DELETE FROM")), path
