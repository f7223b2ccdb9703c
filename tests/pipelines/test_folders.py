import pytest

from pipelines.cli import main

URL = "s3://cars/labels"


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", URL],
        ["inspect", URL],
        ["sql", URL, "SELECT 1"],
        ["forget", URL, "--vehicle", "v"],
        ["prune", URL],
        ["compact", URL],
        ["compact", "folder", "-o", URL],
        ["diff", "folder", URL],
        ["migrate", URL],
        ["split", URL],
        ["split", "folder", "--from", URL],
        ["retry", URL],
        ["evaluate", URL, "--truth", "folder"],
        ["track", URL, "-o", "folder"],
        ["sample", URL],
    ],
)
def test_commands_that_work_on_folders_say_so_of_urls(arguments, capsys):
    assert main(arguments) == 2
    assert f"{URL}: is a URL" in capsys.readouterr().err
