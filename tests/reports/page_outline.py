"""A page of HTML as its elements and its text."""

from html.parser import HTMLParser

VOID = {"br", "img", "input", "link", "meta"}


class Outline(HTMLParser):
    """The elements of a page with their attributes, and its text; every element has to be closed in turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def count(self, tag: str, class_: str | None = None) -> int:
        return sum(name == tag and (class_ is None or values.get("class") == class_) for name, values in self.elements)
