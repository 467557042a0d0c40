"""How a text file writes a table: what stands above it, what separates its fields, and which sign is decimal."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from isthmus.data.header import are_names, checked_header, is_number, numbered_header
from isthmus.data.quoting import quoted, some
from isthmus.data.table_format import WHITE_SPACE, TableFormat
from isthmus.data.text_stream import open_text
from isthmus.errors import FileFormatError

_SEPARATORS = ";\t|,"  # of two that fit as well, the first: commas stand in numbers and texts too
_SAMPLE, _LEAST_LINES, _LEAST_RECORDS = 65536, 20, 5  # characters; and so many lines and records, however long
_LOOK = 200  # rows, and fields of each, by which separators are compared
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_COMMA = re.compile(r"[+-]?(\d*|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?(\d*|\d{1,3}(,\d{3})+)\.\d+([eE][+-]?\d+)?")
_IN_THREES = re.compile(r"[+-]?\d{1,3}(,\d{3})+|[+-]?\d{1,3}(\.\d{3})+")
_ONE_THOUSAND = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_SAVE_AGAIN = "Save the table again as comma-separated UTF-8 text, or as .parquet."


@dataclass(frozen=True)
class Dialect:
    r"""How a table is written.

    Attributes:
        separator: One character, or `WHITE_SPACE`.
        header: One name a column, "" where there is none.
        lines_above: Lines of the file above the first row, the header among them.
        decimal: "." or ",".
        notes: What was left out, in sentences.
        warnings: What was not certain.
        sample_bytes_per_row: About how long a row is.
    """

    separator: str
    header: tuple[str, ...]
    lines_above: int
    decimal: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    sample_bytes_per_row: float


@dataclass(frozen=True)
class _Reading:
    """The lines of a sample, taken apart at one separator.

    Attributes:
        separator: As in `Dialect`.
        records: The fields of each record that is not blank, from the header on.
        width: Fields of most of them.
        above: Lines of records above the header.
        header_line: Number of the header's last line, from 1.
        is_named: Whether the first record is a header.
    """

    separator: str
    records: list[list[str]]
    width: int
    above: int
    header_line: int
    is_named: bool

    @property
    def merit(self) -> tuple[bool, bool, float, float]:
        """Larger for a separator that explains the lines better: by columns, header, regularity, numbers."""
        header, below = self.records[0], self.records[1 if self.is_named else 0 :]
        fields = [field for record in below[:_LOOK] for field in record[:_LOOK] if field.strip()]
        numbers = [is_number(field) and not (self.separator == "," and "," in field) for field in fields]
        regular = [len(record) == self.width for record in self.records]
        has_header = not self.above and len(header) >= self.width
        return self.width > 1, has_header, sum(regular) / len(regular), sum(numbers) / max(1, len(numbers))


def read_dialect(path: Path, told: TableFormat) -> Dialect:
    """How the file is written, by its first lines: 64 kB of them, and not less than twenty.

    Lines above the table that are blank, begin with # or do not have its columns are left out; so is one that names
    the separator (`sep=;`). Names that stand in the last comment are the header if data follow it.

    Args:
        path: The file, perhaps compressed.
        told: What need not be found out.

    Raises:
        FileFormatError: If the file is empty or binary, has no rows, or its first line cannot name its columns.
        ColumnError: If two columns have the same name.
        UnicodeDecodeError: If these lines are not in its encoding.
    """
    lines, begin, best = _sample(path, told)
    lines_above = told.skip_rows + begin
    commented = _commented_header(lines[:begin], best) if told.header else None
    if not told.header:
        rows, left_out = best.records, lines[: begin + best.above]
        lines_above += best.above
        header = numbered_header(max(map(len, rows)))
    else:
        if commented is None:
            names, rows, left_out = best.records[0], best.records[1:], lines[: begin + best.above]
            lines_above += best.header_line
        else:
            (names, left_out), rows = commented, best.records
        header = checked_header(path, [name.strip() for name in names], rows, lines_above)
    if not rows:
        raise FileFormatError(path, f"it has {len(header)} columns and no rows", "Pass a table with data.")
    has_comma = told.decimal == "," or (told.decimal is None and best.separator != "," and _has_decimal_comma(rows))
    notes = _notes(left_out, has_comma and told.decimal is None)
    warnings = [*(_header_warnings(header) if told.header else ()), *_zero_warnings(header, rows)]
    if best.separator == ";" and told.decimal is None and not has_comma:
        warnings += _point_warnings(header, rows)
    length = sum(map(len, lines[begin:])) / max(1, len(lines) - begin)
    return Dialect(best.separator, header, lines_above, "," if has_comma else ".", notes, tuple(warnings), length)


def _header_warnings(header: Sequence[str]) -> list[str]:
    if not header or not all(is_number(name) for name in header if name):
        return []
    names = some([quoted(name) for name in header])
    return [f"The first line was read as the names of the columns, {names}: use --no-header if it holds data."]


def _zero_warnings(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of 01067 and 80331, which are no amounts."""
    found = [
        quoted(name)
        for name, fields in _columns(header, rows)
        if all(map(str.isdecimal, fields)) and any(len(field) > 1 and field[0] == "0" for field in fields)
    ]
    return [f"Numbers with zeros in front, as codes have, were read as numbers, in {some(found)}."] if found else []


def _point_warnings(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of 1.500 and 12.750 alone, between semicolons: points may part thousands there."""
    found = [quoted(name) for name, fields in _columns(header, rows) if all(map(_ONE_THOUSAND.fullmatch, fields))]
    if not found:
        return []
    told = "Every number has three digits behind its point, which was read as the decimal sign"
    return [f"{told}, in {some(found)}: use --decimal , if it parts thousands."]


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, list[str]]]:
    """The names and the first fields of the columns, of which there are a few in each."""
    for position, name in enumerate(header):
        fields = [row[position].strip() for row in rows[:_LOOK] if position < len(row) and row[position].strip()]
        if len(fields) >= _LEAST_RECORDS - 1:
            yield name, fields


def _sample(path: Path, told: TableFormat) -> tuple[list[str], int, _Reading]:
    """The first lines, how many of them stand above whatever can be taken apart, and how that is done best."""
    size = _SAMPLE
    while True:
        lines, is_whole = _first_lines(path, size, told)
        begin = next((row for row, line in enumerate(lines) if not _is_above(line)), None)
        if begin is not None:
            best = _best_reading(path, lines, begin, told)
            if is_whole or len(best.records) >= _LEAST_RECORDS:
                return lines, begin, best
        elif is_whole:
            raise FileFormatError(path, "it is empty", _SAVE_AGAIN)
        size *= 4  # comments without end, or a header of many lines


def _first_lines(path: Path, size: int, told: TableFormat) -> tuple[list[str], bool]:
    """Lines of at least `size` characters, with their ends, and whether these are all of the file."""
    lines: list[str] = []
    with open_text(path, told.encoding) as stream:
        for _ in range(told.skip_rows):
            stream.readline()
        for line in stream:
            if "\0" in line:
                raise FileFormatError(path, "it holds binary data, not text", _SAVE_AGAIN)
            lines.append(line)
            size -= len(line)
            if size < 0 and len(lines) > _LEAST_LINES:
                return lines, False
    return lines, True


def _is_above(line: str) -> bool:
    text = line.strip()
    return _is_blank(line) or text.startswith("#") or _SEP_LINE.fullmatch(text) is not None


def _is_blank(line: str) -> bool:
    return not line.strip(_SEPARATORS + '" \r\n')


def _best_reading(path: Path, lines: Sequence[str], begin: int, told: TableFormat) -> _Reading:
    named = [found[1] for line in lines[:begin] if (found := _SEP_LINE.fullmatch(line.strip()))]
    named = [told.sep] if told.sep else named[:1]
    readings: list[_Reading] = []
    for separator in named or _SEPARATORS:
        try:
            readings.append(_reading(lines[begin:], separator, told.header))
        except csv.Error:
            continue  # a long line without this separator, or a quotation mark without another: no field is so long
    if not readings:
        raise FileFormatError(path, "it has lines that no comma, semicolon, tab or | takes apart", _SAVE_AGAIN)
    best = max(readings, key=lambda reading: reading.merit)
    if named:
        return best
    if best.width == 1:  # words with spaces are no columns, numbers with spaces are
        spaced = _reading(lines[begin:], WHITE_SPACE, told.header)
        return spaced if spaced.merit == (True, True, 1.0, 1.0) else best
    if best.above and not are_names(best.records[0], best.records[1:]):  # one column of decimal commas under its name?
        alone = [reading for reading in readings if reading.merit == (False, True, 1.0, 1.0)]
        return alone[0] if alone else best
    return best


def _reading(lines: Sequence[str], separator: str, has_header: bool) -> _Reading:
    if separator == WHITE_SPACE:
        numbered = [(number + 1, line.split()) for number, line in enumerate(lines)]
    else:
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        numbered = [(reader.line_num, record) for record in reader]
    numbered = [(number, record) for number, record in numbered if any(field.strip() for field in record)]
    counts = Counter(len(record) for _, record in numbered)
    width = max(counts, key=lambda size: (counts[size], size))
    skipped = 0
    while skipped < len(numbered) - 1 and _is_banner(numbered[skipped][1], width):
        skipped += 1
    above = numbered[skipped - 1][0] if skipped else 0
    records = [record for _, record in numbered[skipped:]]
    return _Reading(separator, records, width, above, numbered[skipped][0], has_header)


def _is_banner(record: Sequence[str], width: int) -> bool:
    """Whether a line is one text above a table of several columns, perhaps filled up with separators."""
    return (len(record) == 1 < width) or (width > 2 and bool(record[0].strip()) and not any(map(str.strip, record[1:])))


def _commented_header(above: Sequence[str], best: _Reading) -> tuple[list[str], list[str]] | None:
    """The names in the last comment, and the lines above it, if that is the header and data follow."""
    row = next((row for row in reversed(range(len(above))) if above[row].strip().startswith("#")), None)
    if row is None or best.width < 2 or best.above:
        return None
    text = above[row].strip().lstrip("#")
    if best.separator == WHITE_SPACE:
        names = text.split()
    else:
        names = next(csv.reader([text.strip()], delimiter=best.separator, skipinitialspace=True), [])
    if len(names) != best.width or any(map(is_number, names)):
        return None
    has_numbers = [any(map(is_number, record)) for record in best.records]
    is_header = has_numbers[0] or not (text[:1].isspace() or any(has_numbers))
    names[0] = names[0] or "#"
    return (names, list(above[:row])) if is_header else None


def _has_decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    """Whether commas are decimal: some must be, or all part thousands and no point is decimal."""
    fields = [field.strip() for row in rows for field in row if "," in field or "." in field]
    commas = [field for field in fields if _COMMA.fullmatch(field)]
    if not all(map(_IN_THREES.fullmatch, commas)):
        return True
    return bool(commas) and all(map(_IN_THREES.fullmatch, filter(_POINT.fullmatch, fields)))


def _notes(left_out: Sequence[str], has_comma: bool) -> tuple[str, ...]:
    notes: list[str] = []
    texts = [line.strip() for line in left_out if not _is_blank(line)]
    texts = [text for text in texts if not _SEP_LINE.fullmatch(text)]
    if texts:
        lines = "1 line above the table was" if len(texts) == 1 else f"{len(texts)} lines above the table were"
        notes.append(f"{lines} left out ({quoted(texts[0])}{', …' if len(texts) > 1 else ''}).")
    if has_comma:
        notes.append("Commas in numbers were read as decimal commas.")
    return tuple(notes)
