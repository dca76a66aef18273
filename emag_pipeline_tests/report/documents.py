"""A report as a reader without a browser takes it in: elements with their attributes, and all text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Document(HTMLParser):
    """What `read` found."""

    text: str = ""
    #: (tag, attributes) in order
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += " "
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, *tags: str) -> list[dict[str, str]]:
        """The attributes of every element of these tags."""
        return [attributes for tag, attributes in self.elements if tag in tags]


def read(html: str) -> Document:
    """The document of a page."""
    document = Document()
    document.feed(html)
    document.close()
    document.text = " ".join(document.text.split())
    return document
