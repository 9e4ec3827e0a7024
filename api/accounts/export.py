"""All that is kept of a person, for them to take along (GDPR, articles 15 and 20)."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from api.accounts.audit_store import AuditRows
from api.accounts.identity_store import Identities
from api.accounts.key_store import Keys
from api.accounts.model import Person
from api.accounts.sign_in_store import Links, Sessions
from api.mail.store import Outbox

FORMAT = "kennismatch-account-1"


def export(session: Session, person: Person) -> dict[str, Any]:
    """Everything, as JSON's own types; moments in ISO 8601. Secrets are not in it: they are not kept."""
    return {
        "format": FORMAT,
        "person": {
            "id": person.id,
            "address": person.address,
            "name": person.name,
            "language": person.language,
            "created_at": person.created_at.isoformat(),
        },
        "roles": [
            {"role": grant.role.value, "organisation": grant.organisation or None} for grant in person.grants
        ],
        "sessions": [
            {
                "device": item.device,
                "created_at": item.created_at.isoformat(),
                "seen_at": item.seen_at.isoformat(),
                "expires_at": item.expires_at.isoformat(),
            }
            for item in Sessions(session).of_person(person.id)
        ],
        "keys": [
            {
                "name": key.name,
                "prefix": key.prefix,
                "scopes": sorted(key.scopes),
                "created_at": key.created_at.isoformat(),
                "expires_at": key.expires_at.isoformat(),
                "used_at": key.used_at.isoformat() if key.used_at is not None else None,
            }
            for key in Keys(session).of_person(person.id)
        ],
        "identities": [
            {"issuer": issuer, "subject": subject}
            for issuer, subject in Identities(session).of_person(person.id)
        ],
        "sign_in_links": [
            {
                "created_at": link.created_at.isoformat(),
                "used_at": link.used_at.isoformat() if link.used_at is not None else None,
            }
            for link in Links(session).of_address(person.address)
        ],
        "mail": [
            {
                "kind": mail.kind,
                "subject": mail.subject,
                "text": None if mail.sealed else mail.content or None,
                "state": mail.state.value,
                "created_at": mail.created_at.isoformat(),
            }
            for mail in Outbox(session).of_recipient(person.id, person.address)
        ],
        "log": [
            {
                "number": entry.seq,
                "at": entry.at,
                "action": entry.action,
                "said": {part.name: json.loads(part.content) for part in entry.parts},
            }
            for entry in AuditRows(session).of_person(person.id)
        ],
    }
