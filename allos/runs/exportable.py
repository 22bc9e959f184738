"""What can be written to a file: the methods that `Comparison` and `LoggedComparison` share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, overload

from allos.log.spreadsheets import write_csv, write_excel


class Exportable:
    """A comparison as a page or as a table, for people who have neither kernel nor key."""

    @overload
    def to_html(
        self, path: None = None, *, title: str | None = None, blind: bool | None = None
    ) -> str: ...
    @overload
    def to_html(
        self, path: str | Path, *, title: str | None = None, blind: bool | None = None
    ) -> Path: ...
    def to_html(
        self,
        path: str | Path | None = None,
        *,
        title: str | None = None,
        blind: bool | None = None,
    ) -> str | Path:
        """One page that holds the comparison, to keep, print or send: it needs no network and no kernel.

        It has the board's views, filters, search and differences; a browser that runs no scripts
        shows the static table. Waits for the answers.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            ``.html``; replaced if it exists.
        title : str, optional
            Heading of the page.
        blind : bool, optional
            Whether the page asks for votes and hides which model gave which answer until then; its
            votes come back with `allos.import_votes`. By default as the comparison is shown.

        Returns
        -------
        str or pathlib.Path
            The page; the file, where a path is given.

        Raises
        ------
        ConfigurationError
            The file cannot be written, or there is nothing to vote on.

        Examples
        --------
        ::

            both = allos.compare("Explain gravity.", models=["local/smollm2", "groq/llama-3.1-8b-instant"])
            both.to_html("gravity.html", title="Gravity, for Monday")
        """
        from allos.runs.comparison_file import write_html

        source: Any = self
        return write_html(source.wait(), path, title=title, blind=blind)

    def to_csv(self, path: str | Path) -> Path:
        """Write the responses as CSV, as ``frame.allos.to_csv`` does. Waits for them."""
        return write_csv(self._frame(), path)

    def to_excel(self, path: str | Path) -> Path:
        """Write the responses as an Excel workbook, as ``frame.allos.to_excel`` does. Waits for them."""
        return write_excel(self._frame(), path)

    def _frame(self) -> Any:
        source: Any = self
        return source.frame
