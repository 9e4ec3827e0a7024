"""Reading a collection: what is right comes through whole, what is broken is named and left out."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.connectors.collection import (
    BrokenLine,
    CollectionError,
    check_qrels,
    read_collection,
    read_needs,
    read_qrels,
)
from corpora.connectors.fields import OrganisationIds, parse_group, slug_of
from corpora.connectors.json_lines import MAX_LINE_BYTES, LineError
from corpora.model import Document, Organisation, Profile, ProfileKind
from tests.corpora.conftest import document, group, write_groups


def profiles(folder: Path) -> list[Profile]:
    found = list(read_collection(folder))
    assert all(isinstance(item, Profile) for item in found), found
    return [item for item in found if isinstance(item, Profile)]


def only_broken(folder: Path) -> BrokenLine:
    """The one broken line of a folder in which all other lines are right."""
    broken = [item for item in read_collection(folder) if isinstance(item, BrokenLine)]
    assert len(broken) == 1, broken
    return broken[0]


def test_all_fields_of_the_design_are_kept(tmp_path: Path) -> None:
    fields = group(
        kind="facility", roadmaps=["photonics", "ict", "photonics"], region="Twente", members=["a", "b"],
        source="https://example.org", licence="CC BY 4.0",
    )  # fmt: skip
    (profile,) = profiles(write_groups(tmp_path, fields))
    assert profile == Profile(
        id="g1",
        kind=ProfileKind.FACILITY,
        name="Group 1",
        organisation=Organisation("technical-university", "Technical University"),
        language="en",
        description="We join thin sheets of aluminium.",
        documents=(
            Document(
                "g1-d1", "g1", "publication", "On welding", "Distortion fell by half. The beam was split in two.",
                "en", date(2024, 2, 29), "https://example.org/welding",
            ),
        ),
        roadmaps=("photonics", "ict"),
        region="Twente",
        members=("a", "b"),
        source="https://example.org",
        licence="CC BY 4.0",
    )  # fmt: skip


def test_optional_fields_may_be_absent_or_null(tmp_path: Path) -> None:
    absent = group(1, documents=[document("d1", date=..., url=...)])
    null = group(
        2, kind=None, roadmaps=None, region=None, members=None, source=None, licence=None,
        documents=[document("d2", date=None, url=None)],
    )  # fmt: skip
    for profile in profiles(write_groups(tmp_path, absent, null)):
        assert profile.kind is ProfileKind.RESEARCH_GROUP
        assert (profile.roadmaps, profile.region, profile.members, profile.source) == ((), None, (), None)
        assert (profile.documents[0].date, profile.documents[0].url) == (None, None)


def test_a_byte_order_mark_crlf_and_blank_lines_are_accepted(tmp_path: Path) -> None:
    folder = write_groups(tmp_path, group(1), "", "   ", group(2), end=b"\r\n", start=b"\xef\xbb\xbf")
    assert [profile.id for profile in profiles(folder)] == ["g1", "g2"]


def test_a_file_without_a_last_line_end_is_read_to_its_end(tmp_path: Path) -> None:
    write_groups(tmp_path, group(1), json.dumps(group(2)))
    path = tmp_path / "groups.jsonl"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert [profile.id for profile in profiles(tmp_path)] == ["g1", "g2"]


def test_line_numbers_count_blank_lines(tmp_path: Path) -> None:
    assert only_broken(write_groups(tmp_path, group(1), "", "{", group(2))).line == 3


BROKEN = {
    "cut off": (
        json.dumps(group(1))[:40],
        "expected one JSON object, found an error at character",
    ),
    "a list": ("[1, 2]", "expected a JSON object, found [1, 2]; write one object in braces a line"),
    "a huge number": ('{"id": ' + "9" * 5_000 + "}", "found nesting or a number beyond what can be read"),
    "deep nesting": ("[" * 100_000, "found nesting or a number beyond what can be read"),
    "no id": (group(id=...), "expected the field 'id', found none; add it"),
    "a number for id": (group(id=7), "expected 'id' to be a string, found a number (7); put it in quotes"),
    "white space in id": (group(id="a b"), "expected 'id' to be 1 to 200 characters without white space, found 'a b'"),
    "NUL in id": (group(id="a\x00b"), "expected 'id' to be 1 to 200 characters without white space"),
    "empty id": (group(id=""), "expected 'id' to be 1 to 200 characters without white space, found ''"),
    "no name": (group(name=...), "expected the field 'name', found none"),
    "blank name": (group(name="  "), "expected 'name' to be a name of 1 to 1000 characters, found 0"),
    "null organisation": (group(organisation=None), "expected 'organisation' to be a string, found null"),
    "no language": (group(language=...), "expected the field 'language', found none"),
    "a language by name": (group(language="Dutch"), "expected 'language' to be a code such as 'nl' or 'en', found 'Dutch'"),
    "a list for description": (group(description=["x"]), "expected 'description' to be a string, found a list"),
    "no documents": (group(documents=...), "expected the field 'documents', found none; add it, [] where there are none"),
    "an object for documents": (group(documents={}), "expected 'documents' to be a list, found an object"),
    "a string for a document": (group(documents=["x"]), "expected documents[0] to be an object, found a string ('x')"),
    "a document without text": (
        group(documents=[document("d1"), document("d2", text=...)]),
        "expected the field documents[1].'text', found none; add it",
    ),
    "a document twice": (
        group(documents=[document("d1"), document("d1")]),
        "expected each document to have its own id, found 'd1' twice in this group",
    ),
    "an unknown kind": (
        group(kind="institute"),
        "expected 'kind' to be one of research_group, facility, programme, instrument, support, found 'institute'",
    ),
    "a list for kind": (group(kind=["facility"]), "expected 'kind' to be one of"),
    "a string for roadmaps": (group(roadmaps="ict"), "expected 'roadmaps' to be a list of strings, found a string ('ict')"),
    "a number in members": (group(members=[1]), "expected 'members' to be a list of strings, found a list"),
    "a number for region": (group(region=3), "expected 'region' to be a string, found a number (3)"),
    "a day that is none": (
        group(documents=[document("d1", date="2023-02-29")]),
        "expected documents[0].'date' to be a day as YYYY-MM-DD, found '2023-02-29'",
    ),
    "a year for a date": (group(documents=[document("d1", date=2023)]), "to be a day as YYYY-MM-DD, found 2023"),
    "a week for a date": (group(documents=[document("d1", date="2023-W07")]), "to be a day as YYYY-MM-DD"),
    "a script for url": (
        group(documents=[document("d1", url="javascript:alert(1)")]),
        "expected documents[0].'url' to begin with https:// or http:// and hold no space",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_line_is_reported_and_the_others_are_read(
    tmp_path: Path, line: dict[str, Any] | str, message: str
) -> None:
    folder = write_groups(tmp_path, group(8, documents=[]), line, group(9, documents=[]))
    broken = only_broken(folder)
    assert (broken.file, broken.line) == ("groups.jsonl", 2)
    assert message in broken.reason
    assert str(broken).startswith("groups.jsonl, line 2: expected ")
    assert len(broken.reason) < 400
    assert [item.id for item in read_collection(folder) if isinstance(item, Profile)] == ["g8", "g9"]


def test_a_second_group_with_an_id_is_left_out(tmp_path: Path) -> None:
    folder = write_groups(tmp_path, group(1), group(1, name="Another", documents=[]))
    assert only_broken(folder).reason == (
        "expected each group to have its own id, found 'g1' again, first used on line 1; "
        "this line was left out: rename or remove one"
    )


def test_a_document_id_belongs_to_one_group(tmp_path: Path) -> None:
    folder = write_groups(tmp_path, group(1), group(2, documents=[document("g1-d1")]))
    broken = only_broken(folder)
    assert broken.line == 2
    assert (
        "expected each document to have its own id, found 'g1-d1' again, first used on line 1"
        in broken.reason
    )


def test_a_broken_group_claims_no_ids(tmp_path: Path) -> None:
    folder = write_groups(tmp_path, group(1, kind="?"), group(1))
    assert only_broken(folder).line == 1


def test_a_line_in_another_encoding_names_the_byte(tmp_path: Path) -> None:
    first = json.dumps(group(1)).encode()
    second = json.dumps(group(2, name="Café"), ensure_ascii=False).encode("latin-1")
    offset = len(first) + 1 + second.index(b"\xe9")
    folder = write_groups(tmp_path, first, second, group(3))
    assert only_broken(folder).reason == (
        f"expected UTF-8, found the byte 0xE9 at byte {offset} of the file; the line may be in Windows-1252 or "
        "Latin-1: convert it, for example: iconv -f WINDOWS-1252 -t UTF-8"
    )


def test_the_byte_is_counted_from_the_start_of_the_file_with_a_mark_too(tmp_path: Path) -> None:
    folder = write_groups(tmp_path, b'{"name": "\xe9"}', start=b"\xef\xbb\xbf")
    assert "at byte 13 of the file" in only_broken(folder).reason


def test_a_line_of_more_than_ten_megabytes_is_refused(tmp_path: Path) -> None:
    long = json.dumps(group(2, description="x" * MAX_LINE_BYTES))
    folder = write_groups(tmp_path, group(1), long, group(3))
    assert only_broken(folder) == BrokenLine(
        "groups.jsonl",
        2,
        f"expected at most 10,000,000 bytes in a line, found {len(long) + 1:,}; "
        "split the group or shorten its texts",
    )
    assert [item.id for item in read_collection(folder) if isinstance(item, Profile)] == ["g1", "g3"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_in_another_encoding_from_its_start_is_refused(tmp_path: Path, encoding: str) -> None:
    write_groups(tmp_path, group(1))
    text = (tmp_path / "groups.jsonl").read_text(encoding="utf-8")
    (tmp_path / "groups.jsonl").write_bytes(text.encode(encoding))
    with pytest.raises(
        CollectionError, match=r"expected UTF-8 text, found UTF-(16|32) \(by its first bytes, offset 0\)"
    ):
        list(read_collection(tmp_path))


def test_a_packed_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "groups.jsonl").write_bytes(b"\x1f\x8b\x08\x00rest")
    with pytest.raises(CollectionError, match=r"found gzip .*; unpack it, or name the folder"):
        list(read_collection(tmp_path))


def test_a_missing_folder_file_or_a_file_for_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CollectionError, match=r"expected a collection folder at .*nowhere, found nothing; check the path"
    ):
        list(read_collection(tmp_path / "nowhere"))
    with pytest.raises(
        CollectionError, match=r"expected the file groups.jsonl in .*, found none; check the folder"
    ):
        list(read_collection(tmp_path))
    (tmp_path / "file").write_text("x")
    with pytest.raises(CollectionError, match=r"expected a folder with groups.jsonl in it, found the file"):
        list(read_collection(tmp_path / "file"))
    (tmp_path / "groups.jsonl").mkdir()
    with pytest.raises(CollectionError, match="to be a file, found a folder"):
        list(read_collection(tmp_path))


def test_nul_and_lone_surrogates_become_one_replacement_character_each(tmp_path: Path) -> None:
    line = json.dumps(group(1, documents=[document("d1", text="a\x00b\ud800c")]))  # as \u0000 and \ud800
    (profile,) = profiles(write_groups(tmp_path, line))
    assert profile.documents[0].text == "a\ufffdb\ufffdc"


def test_texts_are_kept_exactly(tmp_path: Path) -> None:
    text = "  Two  spaces,\ttab,\r\n\u00a0é e\u0301 \U0001f600  "
    (profile,) = profiles(
        write_groups(tmp_path, group(1, description=text, documents=[document("d", text=text, title=text)]))
    )
    assert (profile.description, profile.documents[0].text, profile.documents[0].title) == (text, text, text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
FIELD = st.sampled_from(
    [
        "id",
        "name",
        "organisation",
        "language",
        "description",
        "documents",
        "kind",
        "roadmaps",
        "region",
        "members",
    ]
)


@given(st.dictionaries(FIELD, JSON, max_size=4))
def test_any_fields_give_a_profile_or_a_line_error(changes: dict[str, Any]) -> None:
    fields = {**group(1), **changes}
    try:
        profile = parse_group(fields, OrganisationIds())
    except LineError as error:
        assert "expected " in str(error)
        assert "found " in str(error)
    else:
        assert profile.description.encode()
        assert profile.id == fields["id"]


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_bytes_give_broken_lines_or_a_collection_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    folder = tmp_path_factory.mktemp("junk")
    (folder / "groups.jsonl").write_bytes(raw)
    try:
        found = list(read_collection(folder))
    except CollectionError as error:
        assert "expected UTF-8 text" in str(error)
    else:
        lines = [item.line for item in found if isinstance(item, BrokenLine)]
        assert len(lines) == len(found)
        assert lines == sorted(set(lines))


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6))
def test_texts_of_any_characters_come_back_at_their_length(texts: list[str]) -> None:
    profile = parse_group(
        group(1, documents=[document(f"d{at}", text=text) for at, text in enumerate(texts)]),
        OrganisationIds(),
    )
    assert [len(item.text) for item in profile.documents] == [len(text) for text in texts]


class TestOrganisationIds:
    def test_an_id_is_the_folded_name(self) -> None:
        assert slug_of("Université de Liège – Zürich & Łódź") == "universite-de-liege-zurich-lodz"

    def test_a_name_without_latin_letters_still_has_an_id(self) -> None:
        assert slug_of("北京大学").startswith("organisation-")
        assert slug_of("北京大学") == slug_of("北京大学") != slug_of("清华大学")

    def test_the_same_name_has_the_same_id_however_it_is_typed(self) -> None:
        ids = OrganisationIds()
        first = ids.organisation("Universit\u00e9  Twente ")
        assert (
            ids.organisation("Universite\u0301 Twente")
            == first
            == Organisation("universite-twente", "Universit\u00e9 Twente")
        )

    def test_two_names_with_one_slug_have_two_ids(self) -> None:
        ids = OrganisationIds()
        first, second = ids.organisation("Fontys"), ids.organisation("FONTYS!")
        assert first.id == "fontys"
        assert second.id.startswith("fontys-")
        assert ids.organisation("FONTYS!") == second

    def test_names_that_have_an_id_already_keep_it(self) -> None:
        ids = OrganisationIds({"FONTYS!": "fontys"})
        assert ids.organisation("FONTYS!").id == "fontys"
        assert ids.organisation("Fontys").id != "fontys"


class TestNeedsAndJudgements:
    def test_needs_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "needs.jsonl"
        path.write_text(
            '{"id": "n1", "text": "Wie last dun aluminium?", "language": "nl", "deadline": null}\n'
        )
        (need,) = read_needs(path)
        assert (need.id, need.text, need.language, need.organisation) == (
            "n1",
            "Wie last dun aluminium?",
            "nl",
            None,
        )

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ('{"id": "n1", "language": "nl"}', "needs.jsonl, line 2: expected the field 'text', found none"),
            (
                '{"id": "n0", "text": "x", "language": "nl"}',
                "line 2: expected each need to have its own id, found 'n0' again",
            ),
            ("{", "needs.jsonl, line 2: expected one JSON object, found an error at character 2"),
        ],
    )
    def test_a_broken_need_stops_the_reading(self, tmp_path: Path, line: str, message: str) -> None:
        path = tmp_path / "needs.jsonl"
        path.write_text('{"id": "n0", "text": "x", "language": "nl"}\n' + line + "\n")
        with pytest.raises(CollectionError, match=message):
            list(read_needs(path))

    def test_judgements_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "qrels.tsv").write_bytes(b"\xef\xbb\xbfn1\t0\tg1\t2\r\nn1\t0\tg2\t0\r\n\r\nn2 0 g1 1\n")
        assert read_qrels(tmp_path / "qrels.tsv") == {"n1": {"g1": 2, "g2": 0}, "n2": {"g1": 1}}

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("n1\tg1\t1", "qrels.tsv, line 2: expected need_id, 0, group_id and a whole-number grade"),
            ("n1\t0\tg1\thigh", "expected need_id, 0, group_id and a whole-number grade"),
            ("n1\t0\tg1\t2", "line 2: expected one grade for need 'n1' and group 'g1', found 1 and 2"),
        ],
    )
    def test_a_broken_judgement_stops_the_reading(self, tmp_path: Path, line: str, message: str) -> None:
        (tmp_path / "qrels.tsv").write_text("n1\t0\tg1\t1\n" + line + "\n")
        with pytest.raises(CollectionError, match=message):
            read_qrels(tmp_path / "qrels.tsv")

    def test_judgements_in_another_encoding_name_the_byte(self, tmp_path: Path) -> None:
        (tmp_path / "qrels.tsv").write_bytes(b"n1\t0\tg1\t1\nn\xe9\t0\tg1\t1\n")
        with pytest.raises(
            CollectionError, match="line 2: expected UTF-8, found the byte 0xE9 at byte 11 of the file"
        ):
            read_qrels(tmp_path / "qrels.tsv")

    def test_judgements_that_name_unknown_ids_are_reported(self, tmp_path: Path) -> None:
        write_groups(tmp_path, group(1))
        (tmp_path / "needs.jsonl").write_text('{"id": "n1", "text": "x", "language": "nl"}\n')
        (tmp_path / "qrels.tsv").write_text("n1\t0\tg1\t1\nn1\t0\tg7\t1\nn7\t0\tg1\t1\n")
        assert [str(item) for item in check_qrels(tmp_path)] == [
            "qrels.tsv, line 2: expected a group of the collection, found the unknown id 'g7'; "
            "correct the id, or add the group",
            "qrels.tsv, line 3: expected a need of the collection, found the unknown id 'n7'; "
            "correct the id, or add the need",
        ]
