"""The examples of the manual pages, run as they stand there (examples.py says how they are marked)."""
import os

import pytest
from examples import PLACES, matches, play, steps
from pages import REPO, pages

SOURCES = [s for s in sorted((REPO / "docs/man").glob("*.scd")) if s.name.removesuffix(".scd") in pages()]     # Those of programs that are built.
PLAYS = [(s, where) for s in SOURCES for where in steps(s)]


def test_matching_can_fail():
    assert matches(["a ... c", "..."], ["a b c", "d", "e"]) and matches(["..."], []) and matches([], [])
    assert not matches(["a"], ["b"]) and not matches(["a"], ["a", "b"]) and not matches([], ["a"]) and not matches(["a", "..."], [])


def test_there_are_examples():
    assert {where for _, where in PLAYS} == set(PLACES) and len(PLAYS) >= 4


@pytest.mark.parametrize("source, where", PLAYS, ids=[f"{s.name.removesuffix('.scd')}-{where}" for s, where in PLAYS])
def test_examples_do_what_they_say(source, where):
    if where == "lab" and os.geteuid() != 0:
        pytest.skip("the lab builds network namespaces: run as root")
    with PLACES[where]() as place:
        play(source, where, place.env)
