"""The ranking science: from a need to explained pairings."""
