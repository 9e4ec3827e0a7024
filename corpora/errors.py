"""Why a store refuses a record."""

from __future__ import annotations


class StoreError(ValueError):
    """A record cannot be stored. The message says what was expected, what was found, what to do."""


class ErasedError(StoreError):
    """The profile was erased on request and must not come back."""


class DocumentTakenError(StoreError):
    """A document of the profile bears the id of another profile's document."""
