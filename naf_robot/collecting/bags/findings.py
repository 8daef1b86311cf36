"""What is wrong with a bag: counted by kind, with the place where each kind was found first."""

from dataclasses import dataclass


@dataclass
class Finding:
    """One kind of trouble."""

    what: str
    first: str  # place
    count: int = 0


class Findings:
    """Sentences with counts, in the order in which they were found first; `refused` are those that cost data."""

    def __init__(self) -> None:
        self._found: dict[str, Finding] = {}
        self.refused = 0

    def note(self, what: str, where: str, refused: bool = True) -> None:
        """`what` was found at `where`; `refused` says whether something could not be taken because of it."""
        finding = self._found.setdefault(what, Finding(what, where))
        finding.count += 1
        self.refused += refused

    def sentences(self) -> list[str]:
        """One for each kind."""
        return [f"{f.first}: {f.what}{f' ({f.count} times)' if f.count > 1 else ''}" for f in self._found.values()]

    def document(self) -> list[dict[str, object]]:
        """As JSON holds them."""
        return [{"what": f.what, "count": f.count, "first": f.first} for f in self._found.values()]
