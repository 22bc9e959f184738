"""Recorded answers: a notebook that runs again offline, for free, with the same answers."""
