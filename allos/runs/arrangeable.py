"""What can be arranged anew: the method that `Comparison` and `LoggedComparison` share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from allos.render.arrangement import Arrangement, arrange, make_arrangement
from allos.render.comparison_view import ComparisonView


class Arrangeable:
    """Which variables are the rows, the columns and the colours of a comparison."""

    is_blind: bool
    _arrangement: Arrangement | None = None

    @property
    def arrangement(self) -> Arrangement | None:
        """How it is arranged; None as it was asked, and while it is blind: rows could name the models."""
        return None if self.is_blind else self._arrangement

    def arrange(
        self,
        *,
        rows: str | Iterable[str] | None = None,
        columns: str | Iterable[str] | None = None,
        colour: str | None = None,
    ) -> Self:
        """Show other variables as rows, columns and colours. Nothing is sent; answers, ratings and votes stay.

        Variables are ``model``, each parameter, each name that the data put into the prompt, ``run`` on a
        board of several, ``repeat`` where there are some, and ``prompt``, ``row`` or ``column`` where
        nothing else tells them apart. Boards that are in the page, the static table and `to_html` follow.

        Parameters
        ----------
        rows, columns : str or iterable of str, optional
            Variables; of several every combination. Where one is left out, it is all variables that
            differ and that the other does not have; ``[]`` is none. Answers that come to stand in one
            place are shown as repeats are, with what tells them apart.
        colour : str, optional
            The variable that colours stand for; by default ``model``.

        Returns
        -------
        Self
            So that ``comparison.arrange(...)`` at the end of a cell shows it. Without arguments it is
            arranged as it was asked.

        Raises
        ------
        ConfigurationError
            A name is not a variable of this comparison; the message names those it has.

        Examples
        --------
        ::

            both = allos.comparison("cmp_01KAN3...")
            both.arrange(columns="temperature", rows="model")
            both.arrange(columns="language", colour="temperature")
            both.arrange()
        """
        found = make_arrangement(self.layout(), rows=rows, columns=columns, colour=colour)
        if found != self._arrangement:
            self._arrangement = found
            self._looks_different()
        return self

    def arranged_view(self) -> ComparisonView:
        """The view with its names, as it is arranged."""
        return arrange(self.named_view(), self.arrangement)

    def layout(self) -> ComparisonView:
        """The view without its cells, as it was asked."""
        raise NotImplementedError

    def named_view(self) -> ComparisonView:
        """The view with its names, also while it is blind, as it was asked."""
        raise NotImplementedError

    def _looks_different(self) -> None:
        """Tell tables and boards that all of it is to be drawn anew."""
        raise NotImplementedError
