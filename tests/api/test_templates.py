"""Every page has a typed context, and its template asks for nothing that is not in it."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, datetime

import pytest

from api.accounts.sign_in import LinkState
from api.pages.about import AboutPage
from api.pages.account import AccountPage, GrantView, SessionView
from api.pages.audit import AuditPage, VerdictView
from api.pages.audit import EntryView as AuditEntry
from api.pages.directory import DirectoryPage, EntryView, Paging
from api.pages.docs import DocsPage, FieldView, OperationView
from api.pages.failure import FailurePage
from api.pages.filters import Choice, ChoiceGroup, FilterForm
from api.pages.home import HomePage, NeedForm
from api.pages.keys import KeyForm, KeyMadePage, KeysPage, KeyView
from api.pages.language import LANGUAGES, Language
from api.pages.openid import OpenIdFailedPage
from api.pages.own_data import ErasedPage, ErasePage
from api.pages.people import HeldRole, PeoplePage, PersonPage, PersonView, RoleChoice, RoleForm
from api.pages.profile import DocumentView, MarkedText, ProfilePage
from api.pages.rendering import Frame, LanguageLink, Page, PersonInFrame, environment, html
from api.pages.results import (
    EvidenceView,
    HelpLink,
    InstituteView,
    KindBlock,
    MatchView,
    ResultsPage,
)
from api.pages.sign_in import LinkPage, SentPage, SignInPage
from api.pages.starting import StartingPage, Step
from corpora.model import ProfileKind

NASTY = "<i>\"'&"
CHOICES = ChoiceGroup("kinds", "Kind", (Choice("facility", NASTY, True), Choice("support", "Support", False)))
FORM = NeedForm(NASTY, FilterForm((CHOICES,), 1), 20_000, NASTY)
EVIDENCE = EvidenceView(NASTY, NASTY, "nl", NASTY, "Project", date(2024, 1, 2), "/profiles/x", True)
MATCH = MatchView(
    rank=1,
    name=NASTY,
    link="/profiles/x",
    kind=ProfileKind.FACILITY,
    organisation=NASTY,
    language="nl",
    region=NASTY,
    roadmaps=(NASTY,),
    probability=0.4,
    band="good",
    evidence=(EVIDENCE,),
    more_evidence=(dataclasses.replace(EVIDENCE, date=None, answers=False),),
    unmet=(NASTY,),
)
RESULTS = ResultsPage(
    title=NASTY,
    need_id="x",
    need=NASTY,
    need_language="nl",
    language_note=NASTY,
    aspects=(NASTY, NASTY),
    expires=date(2026, 1, 2),
    form=FORM,
    fits=True,
    fit_probability=0.1,
    institutes=(InstituteView(NASTY, 0.4, (MATCH,), True), InstituteView(NASTY, 0.4, (MATCH, MATCH), False)),
    others=(KindBlock(ProfileKind.SUPPORT, (MATCH,)),),
    desks=(HelpLink(NASTY, NASTY, "/profiles/x"),),
    n_matches=3,
    elapsed_ms=1.0,
)
DOCUMENT = DocumentView(
    anchor="d-1", kind=NASTY, title=NASTY, text=MarkedText(NASTY, NASTY, NASTY), language="en",
    language_name="English", date=date(2024, 1, 2), url="https://example.org/",
)  # fmt: skip
PROFILE = ProfilePage(
    title=NASTY, kind=ProfileKind.PROGRAMME, organisation=NASTY, organisation_id=NASTY, language="nl",
    description=MarkedText(NASTY), region=NASTY, roadmaps=(NASTY,), members=(NASTY,), source=NASTY, licence=NASTY,
    documents=(DOCUMENT, dataclasses.replace(DOCUMENT, date=None, url=None)), fictional=True,
)  # fmt: skip
ENTRY = EntryView(NASTY, NASTY, ProfileKind.INSTRUMENT, NASTY, "nl", NASTY, (NASTY,))
DIRECTORY = DirectoryPage(
    title=NASTY, name=NASTY, selects=(CHOICES,), entries=(ENTRY,), total=2000,
    paging=Paging(2, 3, "/profiles?page=1", "/profiles?page=3"), filtered=True, anything=True,
)  # fmt: skip
FIELD = FieldView(NASTY, NASTY, True, NASTY)
HOME = HomePage(
    title=NASTY, form=FORM, examples=(NASTY,), n_profiles=1000, n_institutes=10, keep_days=30, deleted=True
)

MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ACCOUNT = AccountPage(
    title=NASTY, address=NASTY, name=NASTY, language="nl", max_name_chars=200,
    grants=(GrantView(NASTY, NASTY), GrantView(NASTY, "")),
    sessions=(SessionView("a", NASTY, MOMENT, MOMENT, True), SessionView("b", NASTY, MOMENT, MOMENT, False)),
    done=NASTY,
)  # fmt: skip
AUDIT = AuditPage(
    NASTY, (AuditEntry(1, MOMENT, NASTY, NASTY, NASTY, (NASTY, NASTY)),), "/audit?before=1",
    VerdictView(1, NASTY, None, ""),
)  # fmt: skip
KEY = KeyView("a" * 10, NASTY, "km_aaaaaaaaaa_", (NASTY,), MOMENT, MOMENT, False)
KEYS = KeysPage(
    title=NASTY, keys=(KEY, dataclasses.replace(KEY, used_at=None, over=True)), form=KeyForm("a" * 10),
    choices=(("read", NASTY),), days=(("30", NASTY),), max_name_chars=60, done=NASTY,
)  # fmt: skip
ROLES = RoleForm(
    (RoleChoice("officer", NASTY),), (NASTY,), "officer", NASTY, NASTY, NASTY, "en", "address", NASTY
)
PERSON = PersonView("x", NASTY, NASTY, (HeldRole("officer", NASTY, NASTY, NASTY),))
PEOPLE = PeoplePage(
    NASTY, (PERSON, dataclasses.replace(PERSON, name="", roles=())), 120, 2, 3, ROLES, True, NASTY
)
NO_ERROR = dataclasses.replace(ROLES, wrong=None, error=None)

PAGES: list[Page] = [
    HOME,
    dataclasses.replace(HOME, n_profiles=0, examples=(), deleted=False),
    RESULTS,
    dataclasses.replace(RESULTS, fits=False),
    dataclasses.replace(
        RESULTS, fits=False, institutes=(), others=(), desks=(), n_matches=0, language_note=None
    ),
    PROFILE,
    dataclasses.replace(
        PROFILE, documents=(), region=None, roadmaps=(), members=(), source=None, licence=None
    ),
    DIRECTORY,
    dataclasses.replace(DIRECTORY, entries=(), total=0, paging=Paging(1, 1, None, None), selects=()),
    dataclasses.replace(DIRECTORY, entries=(), total=0, anything=False),
    StartingPage(NASTY, (Step(NASTY, "done"), Step(NASTY, "now"), Step(NASTY, "later")), 1, 2, NASTY),
    StartingPage(NASTY, (Step(NASTY, "now"),), 0, 0, None),
    FailurePage(NASTY, NASTY, 500, "abc"),
    FailurePage(NASTY, NASTY, 404),
    AboutPage(NASTY, 30, 1000, "g000001", NASTY),
    AboutPage(NASTY, 30, 0, None, NASTY),
    SignInPage(NASTY, NASTY, NASTY, NASTY, sends_mail=True, sign_up=True),
    SignInPage(NASTY, "", "/account", None, sends_mail=True, sign_up=False),
    SignInPage(NASTY, "", "/account", None, sends_mail=False, sign_up=True),
    SignInPage(NASTY, "", "/account", None, sends_mail=True, sign_up=True, provider=NASTY),
    SignInPage(NASTY, "", "/account", None, sends_mail=False, sign_up=True, provider=NASTY),
    OpenIdFailedPage(NASTY, NASTY),
    SentPage(NASTY, sign_up=True),
    SentPage(NASTY, sign_up=False),
    *(LinkPage(NASTY, state, NASTY) for state in LinkState),
    ACCOUNT,
    dataclasses.replace(ACCOUNT, grants=(), sessions=(), done=None),
    ErasePage(NASTY, NASTY, last=False, error=NASTY),
    ErasePage(NASTY, NASTY, last=False, error=None),
    ErasePage(NASTY, NASTY, last=True, error=None),
    ErasedPage(NASTY),
    AUDIT,
    dataclasses.replace(
        AUDIT, verdict=dataclasses.replace(AUDIT.verdict, bad_seq=2, reason=NASTY), older=None
    ),
    dataclasses.replace(AUDIT, entries=(), verdict=None, older=None),
    KEYS,
    dataclasses.replace(KEYS, keys=(), form=KeyForm("a" * 10, NASTY, (), "30", "scopes", NASTY), done=None),
    dataclasses.replace(KEYS, form=KeyForm("a" * 10, NASTY, ("read",), "30", "name", NASTY)),
    KeyMadePage(NASTY, NASTY, NASTY, MOMENT, "https://kennismatch.example.org"),
    PEOPLE,
    dataclasses.replace(
        PEOPLE, people=(), total=1000, number=1, count=1, form=NO_ERROR, sends_mail=False, done=None
    ),
    PersonPage(NASTY, PERSON, dataclasses.replace(ROLES, wrong="organisation"), NASTY, NASTY),
    PersonPage(NASTY, dataclasses.replace(PERSON, roles=()), NO_ERROR, None, None),
    DocsPage(NASTY, (OperationView("GET", NASTY, NASTY, NASTY, (FIELD,), (FIELD,), NASTY),)),
]


@pytest.mark.parametrize("person", [None, PersonInFrame(NASTY, "0" * 64, administrator=True)])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: type(page).__name__)
def test_it_renders_in_both_languages_with_everything_escaped(
    page: Page, language: Language, person: PersonInFrame | None
) -> None:
    links = tuple(LanguageLink(code, "/?lang=" + code, code == language) for code in LANGUAGES)
    text = html(page, Frame(language, "", links, fictional=True, person=person))
    assert "<i>" not in text
    assert f"<title>{'&lt;i&gt;&#34;&#39;&amp;'} – Kennismatch</title>" in text
    assert text.count("<h1") == 1
    assert text.count("<main") == text.count("</main>") == 1


def test_every_template_is_a_page_of_the_test() -> None:
    templates = {name for name in environment().list_templates() if not name.startswith(("_", "base"))}
    assert templates == {page.template for page in PAGES}


def test_contexts_are_frozen() -> None:
    for page in PAGES:
        with pytest.raises(dataclasses.FrozenInstanceError):
            page.title = "x"  # type: ignore[misc]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: type(page).__name__)
def test_every_form_that_changes_something_carries_the_token_of_the_session(page: Page) -> None:
    token = "0" * 64
    text = html(
        page, Frame("en", "", (), fictional=True, person=PersonInFrame("A", token, administrator=True))
    )
    forms = re.findall(r'<form [^>]*method="post".*?</form>', text, re.DOTALL)
    needs = [form for form in forms if 'action="/needs' in form]  # anybody's, signed in or not
    assert len(forms) > len(needs)  # each page has at least the one to sign out
    assert all(f'name="form_token" value="{token}"' in form for form in forms if form not in needs)
