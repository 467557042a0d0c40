"""The records that pages are made of."""

from __future__ import annotations

from isthmus.runs import FitRecord, MeasureRecord

Record = FitRecord | MeasureRecord
