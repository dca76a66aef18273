"""From what matplotlib writes to a small SVG that stands in a page beside others, or alone in an image."""

import re
from base64 import b64encode
from xml.etree import ElementTree

# The colours of all charts, after Okabe and Ito: colour-blind people tell them apart.
#
# No chart says by colour alone what it says: a label, a dash or a place says it too, so that it can be read in grey.

INK = "#1c2430"
MUTED = "#5b6675"
GRID = "#dfe3e9"
PAPER = "#ffffff"
BLUE = "#0072b2"
SKY = "#56b4e9"
ORANGE = "#b64a00"
YELLOW = "#f0c34e"
GREY = "#9aa3af"

#: Under which name a page may replace each colour, e.g. in the dark: `--chart-ink`.
NAMES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PAPER: "paper",
    BLUE: "blue",
    SKY: "sky",
    ORANGE: "orange",
    YELLOW: "yellow",
    GREY: "grey",
}


_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_COLOUR = re.compile("|".join(NAMES))
_FONT = re.compile(r"font-family: [^;]*(; )?")
_REFERENCE = re.compile(r"#(?=[A-Za-z])(\w+)")
#: Behind the tenth of a pixel.
_TOO_FINE = re.compile(r"(\.\d)\d+")
#: What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text)


def finished(drawn: str, name: str, title: str, description: str) -> str:
    """The chart with its title and description for those who do not see it.

    `name` is of small letters and makes its ids unlike those of other charts in a page. Colours are variables with a
    default (`palette.NAMES`), so that a page can replace them; lengths are CSS pixels.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(drawn)  # noqa: S314 - written by matplotlib a moment ago
    root.remove(root[0])  # a style for everything in the page that the chart will stand in
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    for element in list(root.iter()):
        _trim(element, name)
    _, _, width, height = root.get("viewBox", "").split()
    root.attrib.update(width=width, height=height, role="img", **{"font-family": "system-ui, sans-serif"})
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        told = ElementTree.Element(f"{{{_SVG}}}{tag}", id=f"{name}-{tag}")
        told.text = plain(text)
        root.insert(place, told)
    return ElementTree.tostring(root, encoding="unicode")


def data_uri(svg: str) -> str:
    """The chart as the address of an image that needs no server."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def alternative(svg: str) -> str:
    """The chart's title and description in one line, without what Markdown would take for its own."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - `finished` made it
    told = ": ".join(root.findtext(f"{{{_SVG}}}{tag}") or "" for tag in ("title", "desc"))
    return re.sub(r"[\[\]\\`\s]+", " ", told)


def _trim(element: ElementTree.Element, name: str) -> None:
    """Shorten an element, rename its id and what it refers to; ids of groups serve nobody."""
    if element.text and not element.text.strip():
        element.text = None
    element.tail = None
    if element.tag == f"{{{_SVG}}}g":
        element.attrib.pop("id", None)
    if _HREF in element.attrib:
        element.set("href", element.attrib.pop(_HREF))
    for attribute, value in element.items():
        element.set(attribute, _renamed(attribute, value, name))


def _renamed(attribute: str, value: str, name: str) -> str:
    if attribute == "id":
        return f"{name}-{value}"
    if attribute in ("d", "x", "y", "transform", "viewBox"):
        return _TOO_FINE.sub(r"\1", " ".join(value.split()))
    if attribute == "style":
        return _COLOUR.sub(lambda colour: f"var(--chart-{NAMES[colour[0]]}, {colour[0]})", _FONT.sub("", value))
    return _REFERENCE.sub(rf"#{name}-\1", value) if attribute in ("href", "clip-path") else value
