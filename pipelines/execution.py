"""Running a pipeline: its workers' environment, interrupts, and one line of what went wrong."""

import os
from collections.abc import Callable

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.beam_options import clear_message
from pipelines.interrupts import interrupts
from pipelines.outcome import JobError


def execute(options: PipelineOptions, wire: Callable[[beam.Pipeline], None]) -> None:
    """Runs a pipeline to its end.

    Args:
        options: of the pipeline.
        wire: puts the stages in.

    Raises:
        JobError: a stage failed; its cause is what Beam raised.
        KeyboardInterrupt: the user, or a scheduler, stopped it.
    """
    # a folder called models/ where the user stands would shadow ours in worker processes
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        with interrupts() as interrupted, beam.Pipeline(options=options) as root:
            wire(root)
    except Exception as error:
        if interrupted.is_set():
            # a worker's interrupt comes back as a failed pipeline
            raise KeyboardInterrupt from error
        raise JobError(clear_message(error)) from error
