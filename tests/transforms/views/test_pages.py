import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from transforms.views.pages import bullets, figure, folded, page, table, with_picture

HOSTILE = "<b onclick='x'>\"&"
SAFE = "&lt;b onclick=&#39;x&#39;&gt;&#34;&amp;"


def test_a_table_escapes_every_text():
    made = table(HOSTILE, (HOSTILE, "second"), [(HOSTILE, HOSTILE)])
    assert isinstance(made, Markup)
    assert "<b" not in made
    # caption, head, head of the row, and a cell
    assert made.count(SAFE) == 4


def test_the_first_cell_heads_its_row_and_the_others_know_their_column():
    made = table("c", ("target", "cost"), [("cortex", "$2"), ("dojo", Markup("<i>none</i>"))])
    assert made.count('<th scope="row" role="rowheader">') == 2
    assert '<th scope="row" role="rowheader">cortex</th>' in made
    assert '<td role="cell" data-head="cost"><div>$2</div></td>' in made
    assert '<td role="cell" data-head="cost"><div><i>none</i></div></td>' in made


def test_nothing_is_no_table_and_no_list():
    assert table("c", ("a",), iter(())) == ""
    assert bullets([]) == ""


def test_the_parts_escape_texts_and_keep_pictures():
    assert "<svg/>" in figure("<svg/>", HOSTILE)
    assert f"<figcaption>{SAFE}</figcaption>" in figure("<svg/>", HOSTILE)
    assert with_picture(HOSTILE, "<svg/>") == f'{SAFE} <span class="share"><svg/></span>'
    assert bullets([HOSTILE, Markup("<i>2</i>")]).split() == [
        "<ul>",
        *f"<li>{SAFE}</li>".split(),
        "<li><i>2</i></li>",
        "</ul>",
    ]
    opened = folded(HOSTILE, bullets(["1"]))
    assert f"<summary>{SAFE}</summary>" in opened
    assert "<li>1</li>" in opened


def test_a_name_that_is_missing_in_a_template_is_an_error():
    with pytest.raises(UndefinedError, match="document"):
        page("budget.html.j2")
