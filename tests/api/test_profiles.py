"""`GET /api/v1/profiles`, health, and the OpenAPI description."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from corpora.database import open_engine, unit_of_work
from corpora.store import Records
from matcher.locks import LockError, hold
from tests.api.conftest import WELDING
from tests.api.servers import wait_until


class TestProfiles:
    def test_a_profile_with_its_documents(self, client: TestClient) -> None:
        profile = client.get("/api/v1/profiles/lasprocessen").json()
        assert profile["name"] == "Lasprocessen en Verbindingstechniek (LVT)"
        assert profile["organisation_id"] == "technische-universiteit-salverland"
        assert [document["id"] for document in profile["documents"]] == ["lasprocessen-d1", "lasprocessen-d2"]
        assert profile["fictional"] is True

    @pytest.mark.parametrize("id_", ["nobody", "a%2Fb", "%00", "x" * 5000])
    def test_an_unknown_profile(self, client: TestClient, id_: str) -> None:
        answer = client.get(f"/api/v1/profiles/{id_}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_profile")

    def test_the_directory_is_by_name_and_in_pages(self, client: TestClient) -> None:
        first = client.get("/api/v1/profiles", params={"limit": 2}).json()
        rest = client.get("/api/v1/profiles", params={"limit": 10, "offset": 2}).json()
        names = [entry["name"] for entry in first["profiles"] + rest["profiles"]]
        assert first["total"] == len(names) == 5
        assert names == sorted(names, key=str.casefold)

    @pytest.mark.parametrize(
        "text", ["LVT", "lasprocesen", "verbindingstechniek", "Lasprocessen en Verbindingstechnik"]
    )
    def test_look_up_by_name_acronym_and_typing_error(self, client: TestClient, text: str) -> None:
        found = client.get("/api/v1/profiles", params={"q": text}).json()["profiles"]
        assert found[0]["id"] == "lasprocessen"

    def test_filters_hold_for_look_up_too(self, client: TestClient) -> None:
        for query in ({"kind": "facility"}, {"kind": "facility", "q": "Lastechniek"}):
            found = client.get("/api/v1/profiles", params=query).json()["profiles"]
            assert [entry["id"] for entry in found] == ["lab-lastechniek"]

    def test_a_wrong_parameter_is_named(self, client: TestClient) -> None:
        answer = client.get("/api/v1/profiles", params={"limit": "many"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "query limit"


def test_an_erased_profile_is_gone_at_once(data: Path) -> None:
    with TestClient(create_app(Settings(data=data))) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        before = client.post("/api/v1/matches", json={"text": WELDING}).json()
        assert before["matches"][0]["profile"]["id"] == "lasprocessen"
        engine = open_engine(data / "kennismatch.sqlite")
        with unit_of_work(engine) as session:
            Records(session).delete_profile("lasprocessen")
        engine.dispose()
        after = client.post("/api/v1/matches", json={"text": WELDING}).json()
        assert "lasprocessen" not in str(after)
        assert client.get("/api/v1/profiles/lasprocessen").status_code == 404
        assert client.get("/profiles/lasprocessen").status_code == 404


class TestHealth:
    def test_ready(self, client: TestClient) -> None:
        assert client.get("/healthz").json()["status"] == "up"
        assert client.get("/readyz").json() == {"status": "ready", "generation": "g000001"}

    def test_while_another_process_indexes_it_is_up_but_not_ready(self, tmp_path: Path) -> None:
        with hold(tmp_path, "write"), TestClient(create_app(Settings(data=tmp_path))) as client:
            wait_until(lambda: client.app.state.service.state.problem is not None)  # type: ignore[attr-defined]
            assert client.get("/healthz").status_code == 200
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
            assert answer.headers["retry-after"] == "2"
            assert "holds write.lock" in answer.json()["detail"]
            assert set(answer.json()["progress"]) == {"stage", "done", "total"}
            assert client.post("/api/v1/matches", json={"text": WELDING}).status_code == 503
            page = client.get("/", headers={"Accept-Language": "en"})
            assert page.status_code == 503
            assert "One moment, we are getting everything ready" in page.text
            assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page.text

    def test_making_an_application_leaves_the_data_folder_alone(self, tmp_path: Path) -> None:
        create_app(Settings(data=tmp_path / "data"))
        assert not (tmp_path / "data").exists()

    def test_a_second_application_on_the_folder_does_not_start(self, tmp_path: Path) -> None:
        app = create_app(Settings(data=tmp_path))
        with (
            hold(tmp_path, "serve"),
            pytest.raises(LockError, match=r"only server on the data folder"),
            TestClient(app),
        ):
            pass


def test_openapi_describes_the_fixed_door(client: TestClient) -> None:
    description = client.get("/api/openapi.json").json()
    assert {
        "/api/v1/matches",
        "/api/v1/me",
        "/api/v1/profiles/{profile_id}",
        "/api/v1/profiles",
        "/healthz",
        "/readyz",
    } == set(description["paths"])
    assert description["openapi"].startswith("3.1")
