"""Pages and words from records; nothing is computed here."""

from isthmus.reports.page import write_report
from isthmus.reports.record import validate_record
from isthmus.reports.summary import headline, summary

__all__ = ["headline", "summary", "validate_record", "write_report"]
