"""The one door through which results show themselves: `result.plot()`, and `_repr_html_` in a notebook.

Results live in rooms below `reports`; the reasons are in `docs/decisions/0012-results-that-show-themselves.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def show(result: Any, *what: Any) -> Any:
    """The plotly figure of a result; of one that has several, the one that `what` names."""
    from isthmus import reports

    return reports.figure_of(result, *what)


def show_html(result: Any) -> str:
    """A result as a fragment of HTML, for notebooks."""
    from isthmus import reports

    return reports.fragment_of(result)


def show_page(result: Any, path: Path) -> Path:
    """A result as a page: one file that needs no others."""
    from isthmus import reports

    return reports.page_of(result, path)
