"""Folders and URLs that a pipeline works on, as workers that stand elsewhere find them."""

import os

from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.beam_options import refuse_local_output
from pipelines.outcome import UsageError
from transforms.estimate import holds_clips
from transforms.storage import check_scheme, is_remote, open_store
from transforms.tables.layout import DATASET
from transforms.tables.queries import NotADatasetError, refuse_other_schema


def for_workers(place: str, options: PipelineOptions) -> str:
    """A place by a name that holds for all workers.

    Args:
        place: path or URL.
        options: of the pipeline.

    Returns:
        The URL, or the path from the root.

    Raises:
        UsageError: URLs of that kind are not known, or the path is local and the workers are not.
    """
    try:
        check_scheme(place)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if is_remote(place):
        return place
    refuse_local_output(options, place)
    return os.path.abspath(place)  # noqa: PTH100 - resolve() would follow the user's links


def labelled(dataset: str, options: PipelineOptions) -> str:
    """The same for a labelled data set.

    Args:
        dataset: path or URL.
        options: of the pipeline.

    Raises:
        UsageError: there is none, or it is of another schema.
    """
    place = for_workers(dataset, options)
    store = open_store(place)
    try:
        found = holds_clips(store)
        refuse_other_schema(dataset, store.read(DATASET))
    except NotADirectoryError:
        found = False
    except FileNotFoundError:
        # a folder of tables that no run has described: their columns tell whether they can be counted
        pass
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    if not found:
        raise UsageError(f"{dataset}: no labelled data set here (clips/*.parquet is missing)")
    return place
