"""kill -9 at random points of import, of small changes and of the swap: the old or the new generation answers.

Afterwards the next run makes records, texts, vectors and words agree. The seed is printed; set KENNISMATCH_KILL_SEED
to repeat a run (the points in time can only be repeated roughly, the file operations exactly).
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from corpora.connectors.collection import import_collection
from corpora.database import reading
from corpora.model import Profile
from corpora.store import Records
from matcher.generations import Generation
from matcher.indexing import build_index
from matcher.live import index_folder
from matcher.words import analyse
from tests.fakes import BucketEncoder, sample_profile
from tests.matcher.conftest import store
from tests.matcher.zygote import Job, Zygote

N_KILLS = 36
"""In each of the three tests. A run that ends before its kill does not count; there are at most twice as many runs."""

SEED = int(os.environ.get("KENNISMATCH_KILL_SEED", "20121"))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Lines that are printed although the test passes."""
    lines: list[str] = []
    yield lines
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")


def records(engine: Engine) -> dict[str, Profile]:
    with reading(engine) as session:
        return {profile.id: profile for profile in Records(session).profiles()}


def contents(generation: Generation) -> dict[str, Profile | None]:
    return {profile_id: generation.profile(profile_id) for profile_id in generation.profiles}


def answering(data: Path) -> Generation:
    """The generation that a reader gets now, opened with all checks; both arms answer from it."""
    generation = Generation.open_current(data)
    row = int(generation.profile_rows["p007"][0])
    vector = generation.passage_matrix[[generation.position(row)]]
    [(rows, scores)] = generation.vectors.search(vector, len(generation.rows))
    assert abs(float(scores[list(rows).index(row)]) - 1.0) < 1e-5
    assert generation.lexical.search_profiles(analyse("number7", "en"), 1)[0][0] == "p007"
    return generation


def agreeing(engine: Engine, data: Path) -> None:
    """After the next run: one index, equal to the records, nothing half-written. `open` compares all rows."""
    build_index(engine, data, BucketEncoder())
    assert contents(answering(data)) == records(engine)
    left = sorted(path.name for path in index_folder(data).iterdir())
    assert left[0] == "CURRENT"
    assert all(name.startswith("g") for name in left[1:])
    assert len(left) <= 3


def changed(turn: int) -> list[Profile]:
    """A small change: one profile says something else."""
    return [replace(sample_profile(turn % 7), description=f"Turn {turn} is about turbines{turn} for all.")]


@pytest.fixture
def indexed(engine: Engine, data: Path) -> Path:
    store(engine, [sample_profile(number) for number in range(12)])
    build_index(engine, data, BucketEncoder())
    return data


def test_small_changes(
    engine: Engine, indexed: Path, zygote: Zygote, rng: random.Random, tell: list[str]
) -> None:
    store(engine, changed(0))
    usual_s = zygote.run(Job(str(indexed))).elapsed_s
    killed = new = turn = 0
    while killed < N_KILLS and turn < 2 * N_KILLS:
        turn += 1
        before = records(engine)
        store(engine, changed(turn))
        outcome = zygote.run(Job(str(indexed), kill_after_s=rng.uniform(0, usual_s)))
        killed += outcome.killed
        found = contents(answering(indexed))
        assert found in (before, records(engine)), f"seed {SEED}, turn {turn}"
        new += found != before
        agreeing(engine, indexed)
    tell.append(
        f"small changes: {killed} of {turn} runs killed within {usual_s:.2f} s, {new} new, seed {SEED}"
    )
    assert killed == N_KILLS


def test_swap(engine: Engine, indexed: Path, zygote: Zygote, rng: random.Random, tell: list[str]) -> None:
    """At a random file operation from the check of the new generation to the removal of the oldest."""
    for turn in (100, 101):
        store(engine, changed(turn))
        n_events = zygote.run(Job(str(indexed))).events
    killed = new = turn = 0
    while killed < N_KILLS and turn < 2 * N_KILLS:
        turn += 1
        before = records(engine)
        store(engine, changed(turn))
        outcome = zygote.run(Job(str(indexed), kill_at_event=rng.randint(1, n_events)))
        killed += outcome.killed
        found = contents(answering(indexed))
        assert found in (before, records(engine)), f"seed {SEED}, turn {turn}"
        new += found != before
        agreeing(engine, indexed)
    tell.append(
        f"swap: {killed} of {turn} runs killed at one of {n_events} file operations, {new} new, seed {SEED}"
    )
    assert killed == N_KILLS
    assert 0 < new < killed


def write_collection(folder: Path, turn: int) -> list[Profile]:
    """210 groups, three units of work; at every turn thirteen of them, here and there, say something else."""
    profiles = [replace(sample_profile(number), documents=()) for number in range(210)]
    for number in range(turn % 16, 210, 16):
        profiles[number] = replace(
            profiles[number], description=f"Turn {turn} on number{number} of the series."
        )
    folder.mkdir(exist_ok=True)
    lines = [
        json.dumps(
            {
                "id": profile.id, "name": profile.name, "organisation": profile.organisation.name,
                "language": profile.language, "description": profile.description, "documents": [],
            }
        )
        for profile in profiles
    ]  # fmt: skip
    (folder / "groups.jsonl").write_text("\n".join(lines) + "\n")
    return profiles


def test_import(
    engine: Engine, data: Path, tmp_path: Path, zygote: Zygote, rng: random.Random, tell: list[str]
) -> None:
    collection = tmp_path / "collection"
    write_collection(collection, 0)
    import_collection(engine, collection)
    build_index(engine, data, BucketEncoder())
    job = Job(str(data), collection=str(collection))
    usual_s = 0.0
    for turn in (8, 9, 10):
        write_collection(collection, turn)
        usual_s = max(usual_s, zygote.run(job).elapsed_s)
    killed = torn = turn = 0
    while killed < N_KILLS and turn < 2 * N_KILLS:
        turn += 1
        before = records(engine)
        texts = {profile.id: profile.description for profile in write_collection(collection, turn)}
        outcome = zygote.run(replace(job, kill_after_s=rng.uniform(0, usual_s)))
        killed += outcome.killed
        found = records(engine)
        assert found.keys() == before.keys()
        news = {profile for profile in found if found[profile].description != before[profile].description}
        assert all(found[profile].description == texts[profile] for profile in news), (
            f"seed {SEED}, turn {turn}"
        )
        torn += 0 < len(news) < sum(before[profile].description != texts[profile] for profile in before)
        answering(data)
        import_collection(engine, collection)
        assert {profile.id: profile.description for profile in records(engine).values()} == texts
        if turn % 4 == 0:
            agreeing(engine, data)
    agreeing(engine, data)
    tell.append(
        f"import: {killed} of {turn} runs killed within {usual_s:.2f} s, {torn} between two units of work"
    )
    assert killed == N_KILLS
