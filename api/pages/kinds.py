"""What kinds of documents are called."""

from __future__ import annotations

from api.pages.language import Words


def document_kind(kind: str, t: Words) -> str:
    """The name of a kind of document; kinds are open, so an unknown one is its own name."""
    key = f"document.{kind}"
    return t(key) if key in t.keys() else kind  # noqa: SIM118 - words are no mapping
