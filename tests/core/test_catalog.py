"""Catalogs refuse ambiguity and help with misspellings."""

import pytest

from tunesmith.core.catalog import Catalog
from tunesmith.errors import RecipeError, UnknownNameError


@pytest.fixture
def fruits() -> Catalog[str]:
    catalog: Catalog[str] = Catalog("fruit")

    @catalog.add
    def apple(*, colour: str = "red") -> str:
        """An apple of a colour."""
        return f"{colour} apple"

    return catalog


def test_a_factory_gets_the_options_of_the_recipe(fruits):
    assert fruits.make("apple", {"colour": "green"}) == "green apple"


def test_a_misspelt_name_is_answered_with_the_nearest(fruits):
    with pytest.raises(UnknownNameError) as caught:
        fruits.make("aple")

    assert caught.value.fix == "did you mean 'apple'?"


def test_a_misspelt_option_is_answered_with_the_options_there_are(fruits):
    with pytest.raises(RecipeError) as caught:
        fruits.make("apple", {"color": "green"})

    assert caught.value.fix == "options of 'apple': colour"


def test_two_factories_of_one_name_and_undocumented_ones_are_refused(fruits):
    def apple() -> str:
        """Another apple."""
        return "apple"

    def pear() -> str:
        return "pear"

    with pytest.raises(ValueError, match="exists already"):
        fruits.add(apple)
    with pytest.raises(ValueError, match="needs a docstring"):
        fruits.add(pear)
