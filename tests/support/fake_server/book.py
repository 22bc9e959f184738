"""The script: which answer takes which request."""

from __future__ import annotations

import random
from collections import deque

from .plan import APIS
from .script import Answer, Reply
from .seen import Seen


class Book:
    """Queues, chances and standing answers, looked up by model, then API, then for all.

    Tests write from their own thread while the server's thread reads: every write is one atomic
    operation on a dict or a deque.
    """

    def __init__(self) -> None:
        self.standing: dict[str | None, Answer] = {}
        self.queues: dict[str | None, deque[Answer]] = {}
        self.chances: list[tuple[float, Answer]] = []
        self.random = random.Random(0)

    def pick(self, seen: Seen) -> Answer | None:
        """Answer for a request; None where only an API of its own was scripted."""
        spots = [seen.model, seen.api] if seen.model else [seen.api]
        scripted = seen.api in APIS
        for spot in [*spots, None] if scripted else spots:
            if queue := self.queues.get(spot):
                return queue.popleft()
        if scripted and self.chances:
            draw = self.random.random()
            for chance, answer in self.chances:
                if draw < chance:
                    return answer
                draw -= chance
        for spot in [*spots, None] if scripted else spots:
            if spot in self.standing:
                return self.standing[spot]
        return None

    def fallback(self, seen: Seen) -> Reply:
        """What a fault spoils that names no reply of its own."""
        for spot in (seen.model, seen.api, None):
            answer = self.standing.get(spot)
            if isinstance(answer, Reply):
                return answer
        return Reply("Hello")
