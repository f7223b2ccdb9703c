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


@pytest.mark.parametrize(
    "arguments", [["verify", ""], ["export", "folder", "--format", "coco", "-o", ""], ["split", ""]]
)
def test_no_name_is_not_the_folder_that_one_is_in(arguments, capsys):
    assert main(arguments) == 2
    assert "is empty: name a folder" in capsys.readouterr().err
