"""Addresses of profiles and their documents."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote


def anchor(document_id: str) -> str:
    """The `id` attribute of a document on its profile's page; two documents never share one."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", document_id)
    if plain != document_id:
        plain += "-" + hashlib.sha256(document_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"d-{plain}"


def profile_link(profile_id: str) -> str:
    """Path of a profile's page."""
    return f"/profiles/{quote(profile_id, safe='')}"


def document_link(profile_id: str, document_id: str | None, span: tuple[int, int] | None = None) -> str:
    """Path of a document on its profile's page (of the description for None).

    With a `span` of characters, the page marks that sentence there: offsets say nothing of the need.
    """
    place = anchor(document_id) if document_id is not None else "description"
    mark = f"?mark={place}:{span[0]}-{span[1]}" if span is not None else ""
    return f"{profile_link(profile_id)}{mark}#{place}"
