"""Figures of the gallery: what an example keeps in `figure`, drawn by the plotly that pages of isthmus carry."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import plotly.graph_objects as go

BUNDLE = "plotly-basic.min.js"
_HEIGHT = 420
_INK, _LINE = "#7d8790", "rgba(135,144,154,0.3)"


def scraper(block, block_vars, gallery_conf):
    """The figure that a block of an example leaves in `figure`, as a PNG for the overview and as HTML for the page."""
    namespace = block_vars["example_globals"]
    found = namespace.pop("figure", None)
    if not isinstance(found, go.Figure):
        return ""
    path = Path(next(block_vars["image_path_iterator"]))
    _write_thumbnail(found, path)
    _set_in_either_mode(found)
    html = found.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False, "responsive": True})
    indented = "\n".join(f"   {line}" for line in html.splitlines())
    return f"\n.. raw:: html\n\n{indented}\n\n"


def _set_in_either_mode(found: go.Figure) -> None:
    """Colours between those of a light and of a dark page, without a ground of their own."""
    if found.layout.template.layout.to_plotly_json():
        found.update_layout(template="none", margin={"l": 60, "r": 10, "t": 30, "b": 50})
    found.update_layout(height=found.layout.height or _HEIGHT, font_color=_INK)
    found.update_layout(paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)")
    for axes in (found.update_xaxes, found.update_yaxes):
        axes(gridcolor=_LINE, zerolinecolor=_LINE, linecolor=_LINE, color=_INK)


def _write_thumbnail(found: go.Figure, path: Path) -> None:
    """A still drawing of the first points, lines and bars: no browser is needed to build the site."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(4, 2.8))
    axes = drawn.add_subplot()
    for trace in found.data:
        if trace.yaxis not in (None, "y"):  # of several panels the first
            continue
        y = trace.y if trace.y is not None else ()
        x = trace.x if trace.x is not None else range(len(y))
        if trace.type == "bar":
            axes.bar([*map(str, x)], y)
        elif trace.mode == "markers":
            axes.scatter([*x], [*y], s=8)
        else:
            axes.plot([*x], [*y])
    for image in found.layout.images:
        axes.imshow(_pixels(image.source))
    axes.set_xticks([])
    axes.set_yticks([])
    if found.layout.yaxis.type == "log":
        axes.set_yscale("log")
    drawn.savefig(path, dpi=110)


def _pixels(address: str):
    import base64
    import io

    from PIL import Image

    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


_FIGURE = re.compile(r"\n\.\. raw:: html\n\n(?:   .*\n)+")
_CODE = ".. GENERATED FROM PYTHON SOURCE LINES"


def _picture_first(app, docname, source):
    """Set the first figure of an example above its code."""
    is_example = docname.startswith("auto_") and not docname.endswith("index")
    figure = _FIGURE.search(source[0]) if is_example else None
    if figure:
        before, code, after = (source[0][: figure.start()] + source[0][figure.end() :]).partition(_CODE)
        source[0] = f"{before}{figure[0]}\n{code}{after}"


def _copy_bundle(app, exception):
    """Put the bundle beside the site's own scripts."""
    if exception is None:
        text = resources.files("isthmus.reports").joinpath(BUNDLE).read_text(encoding="utf-8")
        (Path(app.outdir) / "_static" / BUNDLE).write_text(text, encoding="utf-8")


def setup(app):
    """Every page knows the bundle; it is copied when the site is written."""
    app.add_js_file(BUNDLE, priority=100)
    app.connect("source-read", _picture_first)
    app.connect("build-finished", _copy_bundle)
    return {"parallel_read_safe": True}
