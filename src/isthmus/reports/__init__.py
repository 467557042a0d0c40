"""Pages and words from records; nothing is computed here."""

from isthmus.reports.page import write_report
from isthmus.reports.sentences import headline, summary
from isthmus.reports.show import figure_of, fragment_of, page_of

__all__ = ["figure_of", "fragment_of", "headline", "page_of", "summary", "write_report"]
