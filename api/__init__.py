"""The outermost layer: people and machines come in here."""
