"""The vocabularies are complete, dated, bilingual and linked."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

import corpora.taxonomy
from corpora.taxonomy import Taxonomy, TaxonomyError, Term, load_taxonomy

TAXONOMY = load_taxonomy()
TERMS = list(TAXONOMY)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = Path(corpora.taxonomy.__file__).parent
    for file in folder.glob("*.toml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_the_roadmaps() -> None:
    assert {term.code for term in TAXONOMY.roadmaps()} == {
        "semiconductor-equipment", "photonics", "nanotechnology", "advanced-instrumentation", "automotive",
        "aeronautics", "space", "electronics", "embedded-systems", "healthcare", "high-tech-materials", "lighting",
        "printing", "security", "smart-industry", "solar", "ict", "quantum",
    }  # fmt: skip


def test_the_other_vocabularies() -> None:
    assert len(TAXONOMY.key_technologies()) == 10
    assert {term.code for term in TAXONOMY.focal_areas()} == {
        "healthcare-area", "safety-security", "sustainability", "production-technology", "building-construction",
    }  # fmt: skip
    assert [term.label_en for term in TAXONOMY.sector_groups()] == ["Automotive", "Energy"]


@pytest.mark.parametrize("term", TERMS, ids=[term.code for term in TERMS])
def test_a_term_is_whole(term: Term) -> None:
    assert all(
        text.strip() for text in (term.label_nl, term.label_en, term.description_nl, term.description_en)
    )
    assert term.source
    assert date(2000, 1, 1) < term.date <= date(2026, 12, 31)
    for aliases in (term.aliases_nl, term.aliases_en):
        assert len(aliases) == len({alias.casefold() for alias in aliases})
        assert all(alias == alias.strip() != "" for alias in aliases)
    assert TAXONOMY.term(term.code) is term


@pytest.mark.parametrize("term", TAXONOMY.roadmaps(), ids=[term.code for term in TAXONOMY.roadmaps()])
def test_a_roadmap_has_words_enough_in_both_languages(term: Term) -> None:
    assert len(term.aliases_nl) >= 30
    assert len(term.aliases_en) >= 30


def test_every_roadmap_is_reached_from_a_key_technology_or_focal_area() -> None:
    linked = {code for term in TERMS for code in term.roadmaps}
    assert {term.code for term in TAXONOMY.roadmaps()} == linked
    assert all(term.roadmaps for term in TERMS if term.scheme != "htsm-roadmap")


def test_an_unknown_code_has_no_term() -> None:
    assert TAXONOMY.term("alchemy") is None


def test_a_missing_field_is_named(copy: Path) -> None:
    path = copy / "roadmaps.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('en = "Photonics"\n', ""), encoding="utf-8")
    with pytest.raises(
        TaxonomyError, match=r"roadmaps.toml: expected the field 'en' in the term 'photonics', found none"
    ):
        Taxonomy(copy)


def test_a_dead_link_is_named(copy: Path) -> None:
    path = copy / "focal-areas.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"printing"', '"alchemy"'), encoding="utf-8")
    with pytest.raises(TaxonomyError, match=r"to be linked to codes of roadmaps.toml, found alchemy"):
        Taxonomy(copy)


def test_a_code_twice_is_named(copy: Path) -> None:
    path = copy / "focal-areas.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("healthcare-area", "healthcare"), encoding="utf-8"
    )
    with pytest.raises(
        TaxonomyError, match="found 'healthcare' in htsm-roadmap and in focal-area; rename one"
    ):
        Taxonomy(copy)


def test_a_broken_or_missing_file_is_named(copy: Path) -> None:
    (copy / "sector-groups.toml").write_text("scheme = ")
    with pytest.raises(TaxonomyError, match=r"sector-groups.toml: expected TOML, found an error"):
        Taxonomy(copy)
    (copy / "sector-groups.toml").unlink()
    with pytest.raises(TaxonomyError, match=r"expected the vocabulary sector-groups.toml in .*, found none"):
        Taxonomy(copy)
