"""Every public name shows how it is used, and what its example prints is what comes out."""

import doctest

import pytest

import isthmus

NAMES = sorted({*isthmus.__all__, *isthmus._HOME})


def examples_of(name):
    found = getattr(isthmus, name)
    return doctest.DocTestParser().get_doctest(found.__doc__, {}, name, found.__module__, 0)


def test_number_of_public_names_without_an_example():
    assert [name for name in NAMES if not examples_of(name).examples] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_example_prints_what_it_says(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test, told = examples_of(name), []
    doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert told == []
    assert not any(example.options.get(doctest.SKIP) for example in test.examples)
