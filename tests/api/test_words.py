"""The words of the interface, and how each language writes dates and numbers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from string import Formatter

import pytest

import api
from api.accounts.audit import Action
from api.accounts.keys import Scope
from api.accounts.model import Role
from api.accounts.sign_in import LinkState
from api.pages.account import _DONE as ACCOUNT_DONE
from api.pages.failure import _OWN_WORDS
from api.pages.format import Format
from api.pages.keys import DONE as KEYS_DONE
from api.pages.keys import ERRORS as KEY_ERRORS
from api.pages.language import LANGUAGES, from_accept_language, words
from api.pages.openid import _STATUS as OPENID_STATUS
from api.pages.people import _DONE as PEOPLE_DONE
from corpora.model import ProfileKind

ROOT = Path(api.__file__).parent

FAMILIES = {
    "kind": {f"{kind.value}.{number}" for kind in ProfileKind for number in ("one", "many")},
    "band": {"strong", "good", "possible", "weak"},
    "failure": {f"{code}.{part}" for code in (*_OWN_WORDS, "other") for part in ("title", "text")},
    "need_error": {"empty", "too_short", "too_long", "no_words"},
    "starting": {"done", "now", "later"},
    "starting.stage": {"encoder", "import", "passages", "lexical", "embed", "sentences", "check"},
    "role": {role.value for role in Role},
    "role_error": {"unknown_role", "organisation_needed", "unknown_organisation", "last_administrator"},
    "sign_in.link": {f"{state.value}.{part}" for state in LinkState for part in ("title", "text")},
    "openid.error": {f"{code}.{part}" for code in OPENID_STATUS for part in ("title", "text")},
    "account.done": set(ACCOUNT_DONE),
    "action": {action.value for action in Action},
    "scope": {scope.value for scope in Scope},
    "keys.error": set(KEY_ERRORS),
    "keys.done": set(KEYS_DONE),
    "people.done": set(PEOPLE_DONE),
    "filters": {"kinds", "roadmaps", "organisations", "regions", "languages"},
}
"""Keys that the code puts together from a part and a value."""

OPEN_FAMILIES = ("language.", "document.")
"""Keys for values that come from records; one that is missing has a fallback."""


def used_keys() -> set[str]:
    """Keys that stand in templates and code, and those of the families."""
    found = {f"{family}.{key}" for family, keys in FAMILIES.items() for key in keys}
    for path in [*ROOT.rglob("*.html"), *ROOT.rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"\bt\(\s*['\"]([\w.]+)['\"][,)]", text))
        found |= set(re.findall(r"words\(language_of\(request\)\)\(['\"]([\w.]+)['\"]", text))
        for key in re.findall(r"\bt\.count\(['\"]([\w.]+)['\"]", text):
            found |= {f"{key}.one", f"{key}.other"}
    return found


def test_both_languages_have_the_same_keys_with_the_same_values_in_them() -> None:
    dutch, english = words("nl"), words("en")
    assert dutch.keys() == english.keys()
    for key in dutch.keys():  # noqa: SIM118
        fields = [
            {name for _, name, _, _ in Formatter().parse(text(key)) if name} for text in (dutch, english)
        ]
        assert fields[0] == fields[1], key


def test_no_key_is_missing_and_none_is_unused() -> None:
    held = {key for key in words("nl").keys() if not key.startswith(OPEN_FAMILIES)}  # noqa: SIM118
    assert held == used_keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_says_something(language: str) -> None:
    text = words("nl" if language == "nl" else "en")
    assert all(text(key).strip() == text(key) != "" for key in text.keys())  # noqa: SIM118


def test_dates_numbers_and_percentages() -> None:
    day = date(2024, 3, 7)
    dutch, english = Format("nl"), Format("en")
    assert (dutch.day(day), english.day(day)) == ("7\u00a0maart 2024", "7\u00a0March 2024")
    assert (dutch.month(day), english.month(day)) == ("maart 2024", "March 2024")
    assert (dutch.number(1234567), english.number(1234567)) == ("1.234.567", "1,234,567")
    assert (dutch.percent(0.624), english.percent(0.624)) == ("62\u00a0%", "62%")
    moment = datetime(2024, 3, 7, 14, 5, tzinfo=UTC)
    assert dutch.moment(moment) == "7\u00a0maart 2024, 14:05\u00a0UTC"
    assert english.moment(moment) == "7\u00a0March 2024, 14:05\u00a0UTC"
    assert (english.percent(0.0), english.percent(1.0)) == ("1%", "99%")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("fr,de", None),
        ("nl", "nl"),
        ("en-US,en;q=0.9,nl;q=0.8", "en"),
        ("de, nl;q=0.3, en;q=0.7", "en"),
        ("en;q=0, nl;q=0.1", "nl"),
        ("nl-BE;q=0.9,en;q=0.9", "nl"),
        ("en;q=oops,nl", "nl"),
    ],
)
def test_the_language_of_the_browser(header: str, language: str | None) -> None:
    assert from_accept_language(header) == language
