"""`clipmill explain`: why a box is there."""

import argparse
from pathlib import Path
from typing import Any

from pipelines.blurring import add_blur_arguments, blur_asked
from pipelines.folders import local_folder
from pipelines.outcome import ExitCode, JobError, Outcome, UsageError

HELP = "derive one box again from the bytes of its clip, step by step, and compare it with its row"
EXAMPLES = """
clipmill explain out 1a2b3c4d
clipmill explain out 1a2b3c4d-5e6f-5a7b-8c9d-0e1f2a3b4c5d --to why.png
clipmill explain out 1a2b3c4d --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument(
        "row",
        metavar="ROW_ID",
        help="a detection_id, or its first digits, 8 at least, where no other begins so",
    )
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FILE.png",
        help="draw the frame with the network's box and the final one",
    )
    add_blur_arguments(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    """Explains the row."""
    if arguments.to is not None and arguments.to.suffix.lower() != ".png":
        raise UsageError(f"--to {arguments.to}: a picture's name ends in .png")
    blur = None if arguments.to is None else blur_asked(arguments)
    import duckdb

    from transforms.explaining.errors import CannotExplainError, NoSuchRowError
    from transforms.explaining.explaining import explain
    from transforms.storage import open_stream
    from transforms.tables.queries import NotADatasetError
    from transforms.views.explanation_text import explanation_text

    try:
        (found,) = explain(arguments.dataset, [arguments.row], open_stream)
    except (NotADatasetError, NoSuchRowError) as error:
        raise UsageError(str(error)) from error
    except CannotExplainError as error:
        raise JobError(str(error)) from error
    except duckdb.Error as error:
        raise JobError(
            f"{arguments.dataset}: cannot be read ({str(error).splitlines()[0]}); see clipmill verify"
        ) from error
    data: dict[str, Any] = {
        "dataset": str(arguments.dataset),
        **found.as_json(),
        "picture": None,
        "blurred": None,
    }
    human = explanation_text(found)
    if blur is not None:
        from transforms.labels.privacy.auditing import audit_rows
        from transforms.views.explanation_picture import draw_explanation

        regions = draw_explanation(arguments.dataset, found, arguments.to, open_stream, blur)
        if regions is None:
            raise JobError(f"{found.where.uri}: the frame of the row does not come out: nothing to draw")
        data["picture"] = str(arguments.to)
        data["blurred"] = audit_rows(
            arguments.to.name, found.where.clip_id, found.where.timestamp_ns, regions
        )
        human += (f"picture: {arguments.to}, {len(regions)} regions blurred",)
    return Outcome(data, human, ExitCode.JOB_FAILED if found.differs else ExitCode.GOOD)
