import pytest

from transforms.budget.errors import BudgetUsageError
from transforms.budget.evidence.reading import read_runs

HEAD = "name,year,params,tokens_or_samples,unit,gpu,gpu_count,gpu_hours,mfu_published,source,tier,stratum,family,energy_kind,notes\n"
LINE = 'Mine,2024,7e9,1e12,tokens,H100,64,20000,0.4,"our blog, page 2",B,llm,ours,,\n'
TOML = """\
[[runs]]
name = "Mine"
year = 2024
stratum = "llm"
family = "ours"
tier = "A"
source = "our blog"
as_of = 2024-05-01
kind = "published"
accelerator = "nvidia h100"
accelerator_hours = { value = 20_000, unit = "h" }
accelerator_hours_kind = "reported"
parameters = { value = 7e9, unit = "parameters" }
sample_unit = "tokens"
"""


@pytest.fixture
def write(tmp_path):
    def file(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return file


def test_a_line_of_csv(write):
    (run,) = read_runs(write("runs.csv", HEAD + LINE))
    assert (run.name, run.year, run.stratum, run.family, run.tier) == ("Mine", 2024, "llm", "ours", "B")
    assert (run.accelerator, run.accelerator_count.p50, run.accelerator_hours.p50) == ("H100-SXM", 64, 20_000)
    assert (run.parameters.p50, run.samples.p50, run.sample_unit, run.mfu.p50) == (7e9, 1e12, "tokens", 0.4)
    assert (run.source, run.kind, run.mfu.source) == ("our blog, page 2", "reported", "our blog, page 2")
    assert run.as_of.isoformat() == run.mfu.as_of.isoformat() == "2024-12-31"
    assert (run.layers, run.energy, run.server_power, run.notes) == (None, None, None, "")


def test_measured_power_is_read_from_remarks(write):
    line = LINE.replace("ours,,\n", 'ours,"measured 310 W/chip system, PUE 1.12",\n')
    (run,) = read_runs(write("runs.csv", HEAD + line))
    assert (run.server_power.p50, run.server_power.unit) == (310, "W")
    assert run.power_usage_effectiveness.p50 == 1.12


def test_byte_order_marks_blank_lines_and_quoted_line_breaks(write):
    text = "\ufeff" + HEAD + LINE + "\n" + LINE.replace("Mine", '"Two\nlines"')
    assert [run.name for run in read_runs(write("runs.csv", text))] == ["Mine", "Two\nlines"]


def test_toml(write):
    (run,) = read_runs(write("runs.toml", TOML))
    assert (run.accelerator, run.accelerator_hours.source) == ("H100-SXM", "our blog")


def test_runs_as_an_inline_array(write):
    table = ", ".join(TOML.splitlines()[1:])
    assert read_runs(write("runs.toml", f"runs = [{{{table}}}]"))[0].name == "Mine"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("gpu_hours", "hours", r"runs.csv, line 1: no column gpu_hours$"),
        ("mfu_published", "mfu", r"line 1: column mfu is unknown; known: year, name, "),
        ("20000", "many", r"line 2: gpu_hours 'many' is not a number"),
        ("20000", "nan", r"line 2: gpu_hours 'nan' is not a number"),
        ("20000", "-5", r"line 2: accelerator_hours.p10: Input should be greater than 0"),
        ("20000", "", r"line 2: gpu_hours is empty"),
        ("0.4", "1.4", r"line 2: mfu: 1.4 to 1.4 share leaves the range 1e-06 to 1"),
        ("H100", "abacus", r"line 2: accelerator 'abacus' is unknown; known: V100-SXM2, "),
        ("2024", "soon", r"line 2: year 'soon' is not a number"),
        ("2024", "2024.5", r"line 2: year '2024.5' is not a year"),
        (",B,", ",D,", r"line 2: tier: Input should be 'A', 'B' or 'C'"),
        (",ours,,", ",ours", r"line 2: another number of cells than columns"),
        (",ours,,", ",ours,,,,", r"line 2: another number of cells than columns"),
        (",,\n", ',,"', r"line 2: unexpected end of data"),
        (LINE, LINE + LINE, r"line 3: there are two runs called 'Mine'"),
        ("tokens,", "kilotokens,", r"line 2: unit 'kilotokens' is none of tokens, images, image-text pairs"),
        (LINE, "", r"runs.csv: no run in it"),
    ],
)
def test_bad_csv_says_where_and_what(write, old, new, told):
    text = HEAD + LINE
    assert old in text
    with pytest.raises(BudgetUsageError, match=told):
        read_runs(write("runs.csv", text.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("20_000", "0", r"runs.toml, line 1: accelerator_hours.p10: Input should be greater than 0"),
        ('"nvidia h100"', '"abacus"', r"line 1: accelerator 'abacus' is unknown"),
        ('unit = "h"', 'unit = "d"', r"line 1: accelerator_hours: the unit is 'd', not 'h'"),
        (TOML, TOML + TOML.replace("year = 2024\n", ""), r"line 15: year: Field required"),
        (TOML, "runs = 5", r"runs are tables \[\[runs\]\]"),
        (TOML, TOML + "[other]", r"runs are tables \[\[runs\]\]"),
        ("= 2024\n", "= \n", r"runs.toml: .*line 3"),
        (TOML, "", r"no run in it"),
    ],
)
def test_bad_toml_says_where_and_what(write, old, new, told):
    assert old in TOML
    with pytest.raises(BudgetUsageError, match=told):
        read_runs(write("runs.toml", TOML.replace(old, new)))


def test_what_is_no_file_or_no_text(tmp_path):
    with pytest.raises(BudgetUsageError, match=r"none.csv: cannot be read: .*No such file"):
        read_runs(tmp_path / "none.csv")
    (tmp_path / "runs.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BudgetUsageError, match=r"runs.csv: cannot be read: .*decode"):
        read_runs(tmp_path / "runs.csv")
