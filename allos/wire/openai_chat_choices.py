"""The pieces of the one answer, among choices that servers number in their own ways."""

from __future__ import annotations

from typing import Any

from allos.wire.partial_tool_call import index_key

Choice = dict[str, Any]


class ChoicePicker:
    """Picks the pieces of one answer. `n` is never sent, so one is expected, whatever its `index`.

    Servers number it from 1, write the number as text, or count pieces with it. Some send several
    answers all the same; then the pieces of the first one are picked, and the others kept apart.
    A second number may be either, so its pieces are held back until the next number tells.
    """

    def __init__(self) -> None:
        self.index: Any = None
        """Of the answer, as the server writes it."""
        self.held: list[Choice] = []
        self.others: list[Choice] = []
        """Pieces of other answers."""
        self._counts_pieces = False
        self._has_several = False

    def pick(self, choices: list[Any], *, has_content: bool, is_finished: bool) -> list[Choice]:
        """Return the pieces that are the answer's.

        Parameters
        ----------
        choices : list
            Those of one chunk or response.
        has_content, is_finished : bool
            Whether anything of the answer has come, and whether its end has.
        """
        found = [choice for choice in choices if isinstance(choice, dict)]
        if len({index_key(choice.get("index")) for choice in found}) > 1:
            self._has_several = self._has_several or not self._counts_pieces
        if self.index is None and found:
            numbers = [choice.get("index") for choice in found if "index" in choice]
            self.index = next((n for n in numbers if index_key(n) == "0"), (numbers or [None])[0])
        picked: list[Choice] = []
        for choice in found:
            if self._is_answer(choice):
                self.others += self.held  # the answer goes on beside them
                self._has_several = self._has_several or bool(self.held)
                self.held = []
                picked.append(choice)
            elif self._counts_pieces:
                picked.append(choice)
            elif self._has_several or is_finished:
                self.others.append(choice)
            else:
                picked += self._second_number(choice, has_content=has_content or bool(picked))
        return picked

    def rest(self, *, is_finished: bool) -> list[Choice]:
        """Return what was held back, once no more will come."""
        held, self.held = self.held, []
        if is_finished:
            self.others += held
            return []
        return held

    def _is_answer(self, choice: Choice) -> bool:
        key = index_key(choice.get("index"))
        return key is None or key == index_key(self.index)

    def _second_number(self, choice: Choice, *, has_content: bool) -> list[Choice]:
        if not self.held:
            self.held = [choice]
            return []
        held = index_key(self.held[0].get("index"))
        if held != index_key(choice.get("index")):  # a third one: nobody sends three answers so
            self._counts_pieces = True
        elif not has_content:  # the first one was an empty opening
            self.index = choice.get("index")
            self._has_several = True
        else:
            self.held.append(choice)
            return []
        released, self.held = self.held, []
        return [*released, choice]
