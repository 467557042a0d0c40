"""How the site is built: `make docs`."""

import re
import shutil
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "isthmus"
author = "the isthmus contributors"
copyright = author
version = release = version_of("isthmus")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx-mathjax-offline",
    "sphinxcontrib.programoutput",
    "sphinx_gallery.gen_gallery",
    "plotly_pictures",
]
exclude_patterns = ["_build", "start", "gallery", "theory-examples", "notebook/README.md"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme = "pydata_sphinx_theme"
html_title = f"isthmus {release}"
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "isthmus", "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg"},
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
default_role = "literal"
python_display_short_literal_types = True
python_maximum_signature_line_length = 80

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = [
    "myst.header",  # laboratory notes begin where the decision of their number ends
    "config.cache",  # functions in the options of the gallery
]

autodoc_preserve_defaults = True
autodoc_typehints = "none"  # the signature says them; sections of the docstring say what they mean
autodoc_member_order = "bysource"
autosummary_generate = True
autosummary_imported_members = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

programoutput_prompt_template = "$ {command}\n{output}"

sphinx_gallery_conf = {
    "examples_dirs": ["gallery", "theory-examples"],
    "gallery_dirs": ["auto_gallery", "auto_theory"],
    "filename_pattern": r"plot_.*\.py$",
    "image_scrapers": ("plotly_pictures.scraper",),
    "reset_modules": (),
    "capture_repr": (),
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "plot_gallery": True,
    "abort_on_example_error": True,
    "only_warn_on_example_error": False,
    "remove_config_comments": True,
}

_OUTSIDE = re.compile(r"(?<!!)\[([^\]]*)\]\((?:\.\./)+(?!docs/)([^)#]*)(#[^)]*)?\)")
_INSIDE = re.compile(r"\]\((?:\.\./)?docs/")


def _name_what_is_outside(app, docname, source):
    """Links of Markdown files out of `docs` become the name of the place in the repository."""
    if docname in {"contributing", "changelog"}:
        return
    source[0] = _OUTSIDE.sub(lambda found: f"{found[1]} (`{found[2] or '.'}` in the repository)", source[0])


_DISPLAYED = re.compile(r"\$\$(.+?)\$\$")
_INLINE = re.compile(r"(?<![\\$])\$([^$]+?)\$(?!\$)")


def _markdown_to_rest(app, what, name, obj, options, lines):
    """Formulas of docstrings, which are written as in Markdown, for the parser of docstrings, which reads reST."""
    text = "\n".join(lines)
    text = _DISPLAYED.sub(lambda found: f"\n.. math:: {found[1].strip()}\n", text)
    text = _INLINE.sub(lambda found: f":math:`{found[1]}`", text)
    lines[:] = text.replace("|", r"\|").split("\n")


def _skip(app, what, name, obj, skip, options):
    """Methods that scikit-learn writes for the routing of metadata, with references into its own site."""
    last = name.rpartition(".")[2]
    return True if last.startswith("set_") and last.endswith("_request") else None


def setup(app):
    """Register what this file does to sources."""
    app.connect("source-read", _name_what_is_outside)
    app.connect("autodoc-skip-member", _skip)
    app.connect("autodoc-process-docstring", _markdown_to_rest, priority=400)
    shutil.rmtree(HERE / "start" / "work", ignore_errors=True)
    (HERE / "start" / "work").mkdir()
