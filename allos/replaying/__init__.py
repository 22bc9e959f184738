"""Recorded answers: a notebook runs again offline, for free, with the same answers."""
