"""Text to vectors, and vectors to neighbours. Knows strings, ids and arrays only."""
