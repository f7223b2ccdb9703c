"""The page as a whole: on data sets made row by row, whose clips are nowhere."""

import re
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_sets import Box, Minute, make_set

from transforms.views.report.lineage import LastRun
from transforms.views.report.page import report_page

HOSTILE = "<script>alert(1)</script>"
VIN = "1M8GDM9AXKP042788"
SECTIONS = (
    *("ingested", "coverage", "categories", "wall", "tracks"),
    *("quality", "telemetry", "hindsight", "budget", "lineage"),
)
NO_RUN = LastRun(record={}, job=None)
VOID = {"meta", "img"}


class Page(HTMLParser):
    """A page's elements; complains about any that is not closed where it should be."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.elements = []
        self.texts = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.texts.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def nowhere(uri):
    raise FileNotFoundError(uri)


def report(root, run=NO_RUN):
    return report_page(root, nowhere, run)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Clips of strangers: a path that is a script, a category that is one, a car's number in a path."""
    boxes = [
        Box(frame, 10.0 * frame, category, 0.35 + 0.2 * frame)
        for frame in range(3)
        for category in ("car", HOSTILE)
    ]
    minutes = [
        Minute(HOSTILE, boxes, name="one"),
        Minute(VIN, boxes, start_ns=10**18),
        Minute("c", start_ns=None),
    ]
    return make_set(tmp_path_factory.mktemp("report") / f"a {HOSTILE[:8]} set", minutes)


@pytest.fixture(scope="module")
def made(dataset):
    return report(dataset)


def test_every_section_is_there_and_linked(made):
    page = Page(made.html)
    assert made.sections == SECTIONS
    assert [its["id"] for its in page.named("section")] == list(SECTIONS)
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    links = [attributes["href"] for _, attributes in page.elements if "href" in attributes]
    assert [link for link in links if link.removeprefix("#") not in identifiers] == []
    assert set(SECTIONS) <= {link.removeprefix("#") for link in links}
    assert "3 clips, 9 frames, 12 boxes" in page.text


def test_what_strangers_wrote_is_text_and_no_markup(made):
    page = Page(made.html)
    assert len(page.named("script")) == 1
    assert made.html.count("<script>") == 1
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    # the category and the clip's path are told as they are
    assert f"{HOSTILE} 0.75" in page.text
    assert f"in/{HOSTILE}.mp4" in page.text
    [policy] = [meta["content"] for meta in page.named("meta") if "http-equiv" in meta]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_vehicle_identification_numbers_are_masked(made):
    assert VIN not in made.html
    assert VIN[-4:] in made.html


def test_clips_that_have_vanished_are_told_and_nothing_else_is_lost(made):
    page = Page(made.html)
    cards = [attributes for attributes in page.named("li") if "data-kind" in attributes]
    assert made.pictures == 0
    assert made.missing == {"the clip is no longer where it was labelled": len(cards)}
    assert {card["data-kind"] for card in cards} == {"best", "worst", "uncertain"}
    assert not page.named("img")
    assert "No picture: the clip is no longer where it was labelled." in page.text


def test_the_same_data_set_gives_the_same_bytes(dataset, made):
    assert report(dataset).html == made.html


def test_what_has_never_been_measured_is_told_with_the_way_to_measure_it(made):
    text = Page(made.html).text
    assert "clipmill evaluate DIR --truth TRUTH --json > evaluation.json" in text
    assert "No budget was worked out: clipmill budget DIR does it." in text
    assert "No clip carries telemetry." in text


def test_a_data_set_without_a_clip_has_a_page(tmp_path):
    made = report(make_set(tmp_path / "out", []))
    text = Page(made.html).text
    assert made.sections == SECTIONS
    # the one file there was has failed
    assert "0 clips, 0 frames, 0 boxes, 0 tracks, 1 faults." in text
    assert "empty" in text
    for nothing in (
        "There is no label to look at.",
        "There are no tracks.",
        "There are no frames.",
        "No clip tells when",
    ):
        assert nothing in text


def test_a_run_that_has_not_finished_is_told(tmp_path):
    root = make_set(tmp_path / "out", [Minute("a")])
    manifest = root / "manifest.parquet"
    rows = pq.read_table(manifest)
    at = rows.column_names.index("state")
    pq.write_table(
        rows.set_column(at, rows.schema.field(at), pa.array(["pending"] * rows.num_rows)), manifest
    )
    assert f"has not finished: {rows.num_rows} files are still to come" in Page(report(root).html).text


def test_the_job_of_the_last_run_and_its_figures_are_told(dataset):
    run = LastRun(
        record={"run_id": "r1", "wall_seconds": 12.5, "runner": "FnApiRunner"}, job=f'inputs = ["/{VIN}/<b>"]'
    )
    html = report(dataset, run).html
    assert "inputs = [&#34;/*************2788/&lt;b&gt;&#34;]" in html
    assert "clipmill run job.toml" in html
    assert "12.5 s" in html


def test_every_chart_tells_itself(made):
    drawn = re.findall(r"<svg.*?</svg>", made.html, re.DOTALL)
    assert len(drawn) >= 5
    for picture in drawn:
        assert 'role="img"' in picture
        assert re.search(r"<title>[^<]+</title><desc>[^<]+</desc>", picture)


def test_no_number_comes_out_as_nothing(made):
    text = Page(made.html).text
    assert not re.search(r"\b(nan|None|inf)\b", text)
