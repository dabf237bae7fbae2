"""Fonts: every script is drawn as far as fonts go; what has none is named once and boxed."""

import warnings

import pytest
from matplotlib.font_manager import fontManager

from elman.pictures import fonts
from elman.pictures.fonts import BASE, BOX, Lettering, find_fonts, printable


@pytest.fixture
def no_other_font(monkeypatch):
    monkeypatch.setattr(fonts, "_names", lambda region: [])
    monkeypatch.setattr(fonts, "_add_new_fonts", lambda: None)
    fonts._choose.cache_clear()
    yield
    fonts._choose.cache_clear()


def test_western_text_needs_no_second_font():
    assert find_fonts(["Grüße", "Привет", "$5 → 6"]) == Lettering([BASE])


@pytest.mark.usefixtures("no_other_font")
def test_characters_without_a_font_are_named_in_one_line_and_boxed():
    with pytest.warns(
        UserWarning, match=r"no installed font has '狗', '猫'; drawn as □; install .*fonts-noto-cjk"
    ) as said:
        letters = find_fonts(["a 猫", "狗"])
    assert len(said) == 1
    assert "\n" not in str(said[0].message)
    assert letters.label("a 猫狗") == f"a {BOX}{BOX}"


@pytest.mark.usefixtures("no_other_font")
def test_many_characters_without_a_font_are_not_all_listed():
    with pytest.warns(UserWarning, match=r"has ('.', ){8}\.\.\.; drawn"):
        find_fonts(["一二三四五六七八九十"])


def test_the_box_has_a_font():
    assert fonts._has(BASE, frozenset(BOX)) == {BOX}


def test_a_font_that_is_gone_has_nothing():
    assert not fonts._has("No Such Font Anywhere", frozenset("a"))


def test_fonts_installed_since_matplotlib_looked_are_found(monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if find_fonts(["猫"]).missing:
            pytest.skip("no installed font has Chinese characters; install fonts-noto-cjk")
    fonts._choose.cache_clear()
    fonts._add_new_fonts.cache_clear()
    known = [entry for entry in fontManager.ttflist if entry.name == BASE]
    monkeypatch.setattr(fontManager, "ttflist", known)
    assert not find_fonts(["猫"]).missing
    fonts._choose.cache_clear()


@pytest.mark.parametrize(
    ("text", "region"), [("猫が好き", "JP"), ("カー", "JP"), ("고양이 猫", "KR"), ("黑猫", "SC"), ("שלום", "SC")]
)
def test_letters_beside_han_characters_tell_their_land(text, region):
    assert fonts._region(text) == region


def test_plain_fonts_of_the_region_come_first(monkeypatch):
    class Entry:
        weight, style = 400, "normal"

        def __init__(self, name: str) -> None:
            self.name = name

    names = ["A Serif", "Noto Sans Mono CJK SC", "Noto Sans CJK JP", "Noto Sans CJK SC", "Last Resort High-Efficiency"]
    monkeypatch.setattr(fontManager, "ttflist", [Entry(name) for name in names])
    assert fonts._names("SC") == [names[3], names[2], names[1], names[0]]


@pytest.mark.parametrize("text", ["plain", "two words", "猫", "é"])
def test_what_has_a_shape_stays(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"), [("\n", "\\n"), ("\t", "\\t"), ("\ud800", "\\ud800"), ("\u200b", "\\u200b")]
)
def test_what_has_no_shape_gets_a_name(text, shown):
    assert printable(text) == shown
