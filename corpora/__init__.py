"""Where text comes from, and where records live."""
