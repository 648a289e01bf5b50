"""Which files of a walk are not images that can be read, which folders it did not enter, and what to do about both."""

from collections import Counter
from collections.abc import Iterable, Sequence

from facemon.domain.formats.registry import FORMATS, plugin_formats
from facemon.domain.image_input import shown_name
from facemon.printable import printable

_SHOWN = 4
_MOST_KINDS = 256
"""Extensions that are counted separately: files numbered like `scan.000001` have one each."""
_LONGEST = 12
_REST = ""


class SkippedFiles:
    """Counts of files by extension, and of linked folders; memory does not grow with their number."""

    def __init__(self, formats: Sequence[str]) -> None:
        """`formats` are those of `predict.formats`."""
        self._formats = tuple(formats)
        self._counts: Counter[str] = Counter()
        self._notes: dict[str, None] = {}
        self._linked = 0
        self._first_linked: list[str] = []

    def add(self, suffix: str) -> None:
        """Count a file, by its extension in lower case with the dot; an empty one for a file without."""
        kind = suffix or "without an extension"
        is_kept = len(suffix) <= _LONGEST and (kind in self._counts or len(self._counts) < _MOST_KINDS)
        self._counts[kind if is_kept else _REST] += 1

    def add_linked_folder(self, path: str) -> None:
        """Count a link to a folder, which was not followed."""
        self._linked += 1
        if len(self._first_linked) < _SHOWN:
            self._first_linked.append(path)

    def note(self, text: str) -> None:
        """Have a sentence said with the counts, once."""
        self._notes[text] = None

    @property
    def total(self) -> int:
        """All files that were counted."""
        return self._counts.total()

    @property
    def remarks(self) -> list[str]:
        """Lines such as `17 files are not images that can be read: 12 .txt, 5 .heic`, with what to do."""
        return [*([self._of_files()] if self.total else []), *([self._of_links()] if self._linked else [])]

    def __str__(self) -> str:
        """Return the remarks in one line."""
        return "; ".join(self.remarks)

    def _of_links(self) -> str:
        names = [printable(shown_name(path)) for path in self._first_linked]
        if others := self._linked - len(names):
            names.append(f"{others} other" if others == 1 else f"{others} others")
        was, it = ("folder was", "it") if self._linked == 1 else ("folders were", "them")
        return f"{self._linked} linked {was} not entered: {', '.join(names)}; name {it} on the command line"

    def _of_files(self) -> str:
        total = self.total
        said = "1 file is not an image that" if total == 1 else f"{total} files are not images that"
        # Of those with the same number the first by name, so that the next run says the same.
        ranked = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        shown = [(kind, count) for kind, count in ranked if kind != _REST][:_SHOWN]
        parts = [f"{count} {printable(shown_name(kind))}" for kind, count in shown]
        if others := total - sum(count for _, count in shown):
            parts.append(f"{others} other" if others == 1 else f"{others} others")
        return "; ".join([f"{said} can be read: {', '.join(parts)}", *self._remedies(), *self._notes])

    def _remedies(self) -> Iterable[str]:
        for plugin in plugin_formats():
            is_missing = plugin.name in self._formats and not plugin.is_readable
            if is_missing and (found := self._counted(plugin.name)):
                yield f"{plugin.hint} to read {' '.join(found)}"
        if left_out := [suffix for name in FORMATS if name not in self._formats for suffix in self._counted(name)]:
            yield f"predict.formats leaves out {' '.join(left_out)}"

    def _counted(self, name: str) -> list[str]:
        return [suffix for suffix in FORMATS[name].suffixes if suffix in self._counts]
