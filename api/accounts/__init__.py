"""Who people are here: accounts, roles, sign-in, sessions, keys and the audit log."""
