"""`POST /api/v1/matches`: the fixed door of the design, and what comes to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.service import Service
from corpora.store import Records
from tests.api.conftest import WELDING

ADDRESS = "/api/v1/matches"
PROBLEM = "application/problem+json"


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post(ADDRESS, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(client: TestClient, status: int, **request: Any) -> dict[str, Any]:
    answer = client.post(ADDRESS, **request)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"].endswith(problem["code"])
    return problem


class TestAnswer:
    def test_it_has_the_fields_of_the_design(self, client: TestClient) -> None:
        answer = ask(client, text=WELDING, language="nl", limit=2)
        assert answer["need"]["language"] == "nl"
        assert answer["institutes"][0]["name"] == "Technische Universiteit Salverland"
        match = answer["matches"][0]
        assert {"profile", "score", "probability", "evidence", "unmet"} <= match.keys()
        assert match["profile"]["id"] == "lasprocessen"
        assert match["profile"]["kind"] == "research_group"
        assert match["profile"]["organisation"] == "Technische Universiteit Salverland"
        assert {"aspect", "quote", "document_id", "title", "url", "date"} <= match["evidence"][0].keys()
        assert [item["rank"] for item in answer["matches"]] == [1, 2]
        assert 0 < match["probability"] <= 1
        assert answer["generation"] == "g000001"

    def test_a_quote_is_what_stands_in_the_source_at_its_offsets(self, client: TestClient) -> None:
        checked = 0
        for match in ask(client, text=WELDING)["matches"]:
            profile = client.get(f"/api/v1/profiles/{match['profile']['id']}").json()
            documents = {document["id"]: document for document in profile["documents"]}
            for item in match["evidence"]:
                document = documents.get(item["document_id"])
                sources = [document["text"], document["title"]] if document else [profile["description"]]
                start, end = item["quote_start"], item["quote_end"]
                assert item["quote"] in [source[start:end] for source in sources]
                checked += 1
        assert checked >= 3

    def test_aspects_are_spans_of_the_need(self, client: TestClient) -> None:
        for aspect in ask(client, text=WELDING)["need"]["aspects"]:
            assert WELDING[aspect["start"] : aspect["end"]] == aspect["text"]

    def test_research_groups_are_ranked_and_other_kinds_stand_apart(self, client: TestClient) -> None:
        answer = ask(client, text=WELDING)
        assert {match["profile"]["kind"] for match in answer["matches"]} == {"research_group"}
        assert set(answer["others"]) == {"facility", "support"}
        assert answer["others"]["facility"][0]["profile"]["id"] == "lab-lastechniek"

    def test_institutes_roll_the_matches_up(self, client: TestClient) -> None:
        answer = ask(client, text=WELDING)
        rolled = [profile for institute in answer["institutes"] for profile in institute["matches"]]
        assert sorted(rolled) == sorted(match["profile"]["id"] for match in answer["matches"])

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"kinds": ["facility"]}, {"lab-lastechniek"}),
            ({"organisations": ["Hanzehoven University"]}, {"geintegreerde-fotonica"}),
            ({"organisations": ["instituut-meetwijzer"]}, {"akoestiek"}),
            ({"languages": ["nl"]}, {"lasprocessen"}),
            ({"roadmaps": ["photonics"]}, {"geintegreerde-fotonica"}),
            (
                {"regions": ["Salverland"], "kinds": None},
                {"akoestiek", "geintegreerde-fotonica", "lasprocessen"},
            ),
        ],
    )
    def test_filters(self, client: TestClient, filters: dict[str, Any], expected: set[str]) -> None:
        answer = ask(client, text=WELDING, filters=filters)
        assert {match["profile"]["id"] for match in answer["matches"]} == expected

    def test_html_is_text_like_any_other(self, client: TestClient) -> None:
        text = "<script>alert(1)</script> welding of thin aluminium <b>without</b> distortion"
        answer = ask(client, text=text)
        assert [text[item["start"] : item["end"]] for item in answer["need"]["aspects"]] == [
            item["text"] for item in answer["need"]["aspects"]
        ]
        assert len(answer["matches"]) == 3

    def test_a_third_language_is_answered_and_named(self, client: TestClient) -> None:
        answer = ask(client, text="Wer kann uns helfen, dünnwandiges Aluminium ohne Verzug zu schweißen?")
        assert (answer["need"]["language"], answer["need"]["supported"]) == ("de", False)
        assert answer["matches"][0]["profile"]["id"] == "lasprocessen"

    def test_a_nul_within_words_is_no_hindrance(self, client: TestClient) -> None:
        answer = ask(
            client, text="dunwandig aluminium lassen zonder\x00vervorming, wie kan ons daarmee helpen?"
        )
        assert answer["matches"][0]["profile"]["id"] == "lasprocessen"

    def test_half_a_character_is_no_hindrance(self, client: TestClient) -> None:
        content = '{"text": "dunwandig aluminium lassen zonder vervorming \\ud800"}'
        answer = client.post(ADDRESS, content=content, headers={"content-type": "application/json"})
        assert answer.json()["matches"][0]["profile"]["id"] == "lasprocessen"

    def test_it_is_not_kept(self, client: TestClient) -> None:
        service: Service = client.app.state.service  # type: ignore[attr-defined]
        with service.reading() as session:
            before = Records(session).counts().needs
        ask(client, text=WELDING)
        with service.reading() as session:
            assert Records(session).counts().needs == before


class TestNeedsThatCannotBeMatched:
    @pytest.mark.parametrize(
        ("text", "code", "says"),
        [
            ("", "need_empty", "expected a need in words, found nothing"),
            (" \n\t ", "need_empty", "expected a need in words, found nothing"),
            ("x", "need_too_short", "expected at least a word"),
            ("lassen " * 7142 + "einde.", "need_too_long", "expected at most 20000 characters, found 50000"),
            ("🙂🔥🤖", "need_no_words", "found only symbols or binary data"),
            (
                "\x00\x01\x02PK\x03\x04\x00\x00abc\x07\x08",
                "need_no_words",
                "found only symbols or binary data",
            ),
        ],
        ids=["empty", "blank", "one character", "50,000 characters", "emoji only", "binary"],
    )
    def test_the_problem_names_the_field_and_says_what_to_do(
        self, client: TestClient, text: str, code: str, says: str
    ) -> None:
        problem = refused(client, 422, json={"text": text})
        assert problem["code"] == code
        assert says in problem["detail"]
        assert problem["errors"][0]["pointer"] == "/text"


class TestRequestsThatAreWrong:
    @pytest.mark.parametrize(
        ("body", "pointer", "expected", "found"),
        [
            ({}, "/text", "this field", "nothing"),
            ({"text": 7}, "/text", "a valid string", "7"),
            ({"text": None}, "/text", "a valid string", "null"),
            ({"text": "las", "limit": 0}, "/limit", "greater than or equal to 1", "0"),
            ({"text": "las", "limit": 1e999}, "/limit", "a finite number", "inf"),
            ({"text": "las", "language": "Dutch"}, "/language", "String should match pattern", "'Dutch'"),
            ({"text": "las", "filters": {"kinds": ["lab"]}}, "/filters/kinds/0", "'research_group'", "'lab'"),
            ({"text": "las", "filters": ["x"]}, "/filters", "a valid dictionary", "a list of 1"),
            (
                {"text": "las", "filter": {}},
                "/filter",
                "only the documented fields",
                "an unknown one, 'filter'",
            ),
        ],
    )
    def test_422_names_the_field_what_was_expected_and_what_was_found(
        self, client: TestClient, body: Any, pointer: str, expected: str, found: str
    ) -> None:
        headers = {"content-type": "application/json"}
        problem = refused(client, 422, content=json.dumps(body), headers=headers)
        assert problem["code"] == "invalid_request"
        error = problem["errors"][0]
        assert error["pointer"] == pointer
        assert expected in error["expected"]
        assert found in error["found"]

    def test_the_text_of_a_need_is_not_repeated(self, client: TestClient) -> None:
        problem = refused(client, 422, json={"text": ["geheim aluminium"], "limit": "geheim"})
        assert "geheim aluminium" not in str(problem)

    @pytest.mark.parametrize("name", ["organisations", "roadmaps", "regions"])
    def test_a_filter_that_names_what_is_not_there(self, client: TestClient, name: str) -> None:
        problem = refused(client, 422, json={"text": WELDING, "filters": {name: ["nergens"]}})
        assert problem["code"] == "unknown_filter"
        assert f"expected one of the {name} that there are, found 'nergens'" in problem["detail"]
        assert problem["errors"][0]["pointer"] == f"/filters/{name}/0"

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00{}", b"[" * 100_000, b"9" * 5000])
    def test_no_json(self, client: TestClient, content: bytes) -> None:
        problem = client.post(ADDRESS, content=content, headers={"content-type": "application/json"})
        assert problem.status_code in (400, 422)
        assert problem.headers["content-type"] == PROBLEM

    def test_another_type(self, client: TestClient) -> None:
        problem = refused(client, 415, content=b"text=lassen", headers={"content-type": "text/plain"})
        assert "expected Content-Type: application/json, found text/plain" in problem["detail"]

    def test_a_body_over_the_limit_by_its_length(self, client: TestClient) -> None:
        problem = refused(client, 413, json={"text": "a" * 300_000})
        assert problem["limit_bytes"] == 262_144
        assert "at most 262,144 bytes, found 300,0" in problem["detail"]

    def test_a_body_over_the_limit_in_pieces(self, client: TestClient) -> None:
        problem = refused(
            client,
            413,
            content=(b"a" * 50_000 for _ in range(8)),
            headers={"content-type": "application/json"},
        )
        assert "at most 262,144 bytes, found more" in problem["detail"]

    def test_another_method(self, client: TestClient) -> None:
        answer = client.delete(ADDRESS)
        assert (answer.status_code, answer.headers["content-type"]) == (405, PROBLEM)
        assert answer.headers["allow"] == "POST"

    def test_an_address_that_is_none(self, client: TestClient) -> None:
        answer = client.get("/api/v1/nothing")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_a_page_of_another_site_may_not_ask(self, client: TestClient) -> None:
        problem = refused(client, 403, json={"text": WELDING}, headers={"Sec-Fetch-Site": "cross-site"})
        assert problem["code"] == "other_site"

    def test_a_fault_of_ours_tells_nothing_of_the_inside(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def broken(self: Service) -> None:
            raise RuntimeError(f"cannot answer {WELDING}")

        monkeypatch.setattr(Service, "pipeline", broken)
        problem = refused(client, 500, json={"text": WELDING})
        printed = capsys.readouterr()
        logged = printed.out + printed.err
        assert "aluminium" not in str(problem) + logged
        assert "RuntimeError" not in str(problem)
        assert problem["error_id"] in logged
        assert "RuntimeError" in logged
