"""Whether every link and picture of the built site leads somewhere: `python docs/check_links.py docs/_build/html`.

Links out of the site are counted and not followed: it is built without a network.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """Addresses that a page names, and the places in it that can be named."""

    def __init__(self, path):
        super().__init__()
        self.addresses, self.places = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        """Note what an element names, and by what it can be named."""
        found = dict(attributes)
        self.places |= {found[name] for name in ("id", "name") if found.get(name)}
        self.addresses += [found[name] for name in ("href", "src") if found.get(name)]


def broken_links(root):
    """(page, address) of everything that leads nowhere, the number of links within the site, and of those out of it."""
    whole = (path for path in root.rglob("*.html") if "_static" not in path.parts)  # the theme keeps a template there
    pages = {path.resolve(): Page(path) for path in whole}
    broken, inside, outside = [], 0, 0
    for path, page in pages.items():
        for address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                outside += 1
                continue
            inside += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            is_there = target in pages or target.exists()
            if not is_there or (
                parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places
            ):
                broken.append((path.relative_to(root.resolve()), address))
    return broken, inside, outside


def main(folder):
    """Say what is broken; 1 if anything is, or there is nothing."""
    broken, inside, outside = broken_links(Path(folder))
    for path, address in broken:
        print(f"{path}: {address} leads nowhere", file=sys.stderr)
    print(f"{inside} links within the site, {len(broken)} broken; {outside} lead out of it and were not followed.")
    return 1 if broken or not inside else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
