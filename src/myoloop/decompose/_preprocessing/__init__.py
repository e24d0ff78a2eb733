"""Filters, mains, bad channels: from a recording to signals that can be separated."""
