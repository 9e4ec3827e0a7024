"""What every form of ours goes through: its type, how large it is, and whose it is."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends
from starlette.datastructures import FormData
from starlette.requests import Request

from api.accounts.access import visitor_of
from api.problems import ProblemError

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 50
TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field


async def own_form(request: Request) -> FormData:
    """The form that was sent. Of somebody who is signed in, it must come from a page of the same session.

    So a page that was left open while somebody signed out, or in as another, changes nothing.

    Raises:
        ProblemError: 415 for another type of body, 403 for a form of another session.
    """
    check_type(request)
    async with request.form(max_fields=MAX_FIELDS, max_files=0) as form:
        expected = visitor_of(request).form_token
        if expected and not hmac.compare_digest(expected.encode(), field(form, TOKEN_FIELD).encode()):
            raise ProblemError(
                403,
                "stale_form",
                "expected a form of this session, found an older one; open the page again and send it from there",
            )
        return form


OwnForm = Annotated[FormData, Depends(own_form)]


def check_type(request: Request) -> None:
    """Refuse a body that is no form.

    Raises:
        ProblemError: 415.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise ProblemError(415, "unsupported_media_type", f"expected Content-Type: {FORM}, found another")


def field(form: FormData, name: str) -> str:
    """The text of a field; empty where it was not sent."""
    value = form.get(name)
    return value if isinstance(value, str) else ""
