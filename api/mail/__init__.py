"""Mail: an outbox that is written with the decision to send, and a sender that works it off."""
