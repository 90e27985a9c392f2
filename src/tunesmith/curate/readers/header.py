"""The header of a table: cells under their columns' names, and what becomes of columns that share one."""

from collections.abc import Sequence


class Header:
    """The names of a table's columns, some of which may stand there more than once.

    Columns of one name count as one where all of them that hold a text hold the same. Where they do not, a mapping
    has to say which is meant: for that each stands as `name (column 3)` as well.
    """

    def __init__(self, cells: Sequence[str], *, is_mapped: bool) -> None:
        """Find the names that several columns have; columns without a name are no matter."""
        self._names = [cell.strip() for cell in cells]
        self._is_mapped = is_mapped
        self._repeated = {
            name: [place for place, other in enumerate(self._names) if other == name]
            for name in dict.fromkeys(self._names)
            if name and self._names.count(name) > 1
        }

    def flaw(self, cells: Sequence[str]) -> str:
        """Why these cells are no row below this header; empty if they are one."""
        if len(cells) != len(self._names):
            return f"{len(cells)} cells, the header has {len(self._names)}"
        for name, places in self._repeated.items():
            if len(_said(cells, places)) > 1 and not self._is_mapped:
                *others, last = [str(place + 1) for place in places]
                return (
                    f"columns {', '.join(others)} and {last} are all called {name!r} and say different things: "
                    "rename them, or name the one to learn from in curate.mapping"
                )
        return ""

    def fields(self, cells: Sequence[str]) -> dict[str, str]:
        """The cells under their names; a name is left out where nobody can tell which of its columns is meant."""
        fields = dict(zip(self._names, cells, strict=True))
        for name, places in self._repeated.items():
            said = _said(cells, places)
            del fields[name]
            if len(said) < 2:
                fields[name] = "".join(said)
            if self._is_mapped:
                fields |= {f"{name} (column {place + 1})": cells[place] for place in places}
        return fields


def _said(cells: Sequence[str], places: Sequence[int]) -> list[str]:
    """The different texts in some cells."""
    return list(dict.fromkeys(cells[place] for place in places if cells[place].strip()))
