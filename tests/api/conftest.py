"""A tiny real collection, indexed once by the real encoder, and applications on it."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from corpora.connectors.collection import import_collection
from corpora.database import open_engine, upgrade
from embeddings.encoders import DEFAULT_ENCODER, open_encoder
from matcher.indexing import build_index
from tests.api.servers import wait_until

DEMO = Path(__file__).parents[2] / "corpora" / "demo"
TAKEN = {
    "lasprocessen": 2,
    "lab-lastechniek": 1,
    "geintegreerde-fotonica": 2,
    "akoestiek": 1,
    "desk-innovatie": 1,
}
"""Profiles of the demonstration, with how many of their documents."""

WELDING = "Wie kan ons helpen om dunwandig aluminium te lassen zonder vervorming?"


@pytest.fixture(scope="session")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five profiles of the demonstration as a collection."""
    folder = tmp_path_factory.mktemp("collection")
    lines = []
    for line in (DEMO / "groups.jsonl").read_text(encoding="utf-8").splitlines():
        group = json.loads(line)
        if group["id"] in TAKEN:
            group["documents"] = group["documents"][: TAKEN[group["id"]]]
            lines.append(json.dumps(group, ensure_ascii=False))
    assert len(lines) == len(TAKEN)
    (folder / "groups.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def prepared(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with that collection, indexed. Not to be written in: take a `data` folder for that."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    engine = open_engine(folder / "kennismatch.sqlite")
    upgrade(engine)
    import_collection(engine, collection)
    build_index(engine, folder, open_encoder(DEFAULT_ENCODER))
    engine.dispose()
    return folder


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """A data folder of one's own, with that collection, indexed."""
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    return folder


@pytest.fixture(scope="session")
def client(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of an application that is ready, on a copy of the prepared folder."""
    folder = tmp_path_factory.mktemp("served") / "data"
    shutil.copytree(prepared, folder)
    with TestClient(create_app(Settings(data=folder))) as opened:
        wait_until(lambda: opened.get("/readyz").status_code == 200)
        yield opened


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """Commands that run in this process point the log at streams that are gone afterwards."""
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
