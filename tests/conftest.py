"""What every test may use, and the rule on skipped tests."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

NO_EVALUATION_DATA = "KENNISMATCH_EVALUATION_DATA names no folder"


@pytest.fixture(scope="session")
def evaluation_data() -> Path:
    """The folder with the evaluation collections (shared data, not part of the product)."""
    named = os.environ.get("KENNISMATCH_EVALUATION_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip(NO_EVALUATION_DATA)
    return Path(named)


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    # Continuous integration sets KENNISMATCH_STRICT_SKIPS: a test that silently does not run proves nothing.
    if not os.environ.get("KENNISMATCH_STRICT_SKIPS") or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.endswith(NO_EVALUATION_DATA):
        report.outcome = "failed"
        report.longrepr = f"skipped where no skip is allowed: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(report)
    return report
