"""The evaluation collection is the one that figures are reported on: pinned by counts and by exact records."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from corpora.connectors.collection import (
    check_qrels,
    import_collection,
    read_collection,
    read_needs,
    read_qrels,
)
from corpora.database import reading
from corpora.model import Profile
from corpora.store import Counts, Records


def test_the_teams_are_those_that_were_measured(evaluation_data: Path) -> None:
    items = list(read_collection(evaluation_data / "ref-teams-dev"))
    profiles = [item for item in items if isinstance(item, Profile)]
    assert len(profiles) == len(items) == 667
    assert sum(len(profile.documents) for profile in profiles) == 3_966
    first, middle, last = profiles[0], profiles[333], profiles[-1]
    assert (first.id, first.name, first.organisation.id) == (
        "597",
        "Mathematical Sciences team 597",
        "university-of-kent",
    )
    assert [document.id for document in first.documents] == ["597-research", "597-p1"]
    assert (middle.id, last.id) == ("42861", "44478")
    assert {profile.language for profile in profiles} == {"en"}


def test_the_needs_and_judgements_fit_them(evaluation_data: Path) -> None:
    folder = evaluation_data / "ref-teams-dev"
    needs = list(read_needs(folder / "needs.jsonl"))
    assert [sum(need.language == language for need in needs) for language in ("nl", "en")] == [75, 75]
    assert (needs[0].id, needs[-1].id) == ("43869-en", "27378-nl")
    assert sum(map(len, read_qrels(folder / "qrels.tsv").values())) == 150
    assert check_qrels(folder) == []


def test_they_are_imported_whole_and_only_once(engine: Engine, evaluation_data: Path) -> None:
    folder = evaluation_data / "ref-teams-dev"
    first = import_collection(engine, folder)
    assert (first.added, first.organisations, first.broken) == (667, 56, [])
    second = import_collection(engine, folder)
    assert (second.added, second.changed, second.unchanged) == (0, 0, 667)
    with reading(engine) as session:
        assert Records(session).counts() == Counts(56, 667, 3_966, 0, 0)
