"""Needs that were typed on the page: kept under an opaque id until their time is up or somebody deletes them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from corpora.characters import storable
from corpora.model import Need, ProfileKind
from corpora.need_store import new_need_id
from matcher.model import Filters


def new_need(text: str, language: str, filters: Filters, lifetime_days: int) -> Need:
    """A need to store, with its line ends as one sign and without characters that no text holds."""
    now = datetime.now(UTC)
    plain = storable(text.replace("\r\n", "\n").replace("\r", "\n"))
    return Need(
        id=new_need_id(),
        text=plain,
        language=language,
        created_at=now,
        expires_at=now + timedelta(days=lifetime_days),
        filters=json.dumps(asdict(filters)),
    )


def filters_of(need: Need) -> Filters:
    """The filters that were chosen with a need."""
    raw: dict[str, Any] = json.loads(need.filters)
    values = {name: tuple(items) for name, items in raw.items()}
    return Filters(**{**values, "kinds": tuple(ProfileKind(kind) for kind in values.get("kinds", ()))})
