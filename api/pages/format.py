"""Dates, numbers and percentages as each language writes them."""

from __future__ import annotations

from datetime import date, datetime

from api.pages.language import Language

_MONTHS: dict[Language, tuple[str, ...]] = {
    "nl": (
        "januari", "februari", "maart", "april", "mei", "juni",
        "juli", "augustus", "september", "oktober", "november", "december",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip
_NBSP = "\u00a0"


class Format:
    """How one language writes them."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def day(self, day: date) -> str:
        """17 maart 2024; 17 March 2024."""
        return f"{day.day}{_NBSP}{_MONTHS[self._language][day.month - 1]} {day.year}"

    def month(self, day: date) -> str:
        """Say maart 2024; March 2024: the precision that a source list needs."""
        return f"{_MONTHS[self._language][day.month - 1]} {day.year}"

    def moment(self, moment: datetime) -> str:
        """17 maart 2024, 14:05 UTC; 17 March 2024, 14:05 UTC."""
        return f"{self.day(moment.date())}, {moment:%H:%M}{_NBSP}UTC"

    def percent(self, share: float) -> str:
        """62 % in Dutch, 62% in English; never 0 or 100, which would claim certainty."""
        value = min(99, max(1, round(share * 100)))
        return f"{value}{_NBSP}%" if self._language == "nl" else f"{value}%"

    def number(self, value: int) -> str:
        """12.345 in Dutch, 12,345 in English."""
        text = f"{value:,}"
        return text.replace(",", ".") if self._language == "nl" else text
