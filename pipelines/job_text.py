"""A job written out as a spec."""

import json
from collections.abc import Iterator, Mapping

from pipelines.job_dates import without_dates
from pipelines.job_specs import DATED
from pipelines.jobs import AutolabelJob


def job_toml(job: AutolabelJob) -> str:
    """The job as TOML, every value told; of private places only how many there are.

    Args:
        job: the job.

    Returns:
        What gives the same job again when it is read, private places aside.
    """
    values = job.model_dump(exclude={"labels": {"location_privacy"}})
    lines = list(_table({**values, **{key: _without_dates(values[key]) for key in DATED}}, ()))
    if places := len(job.labels.location_privacy):
        lines.append(f"# labels.location_privacy: {places} private places, not shown")
    return "\n".join(lines)


def _without_dates(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_without_dates, value))
    return without_dates(value) if isinstance(value, str) else value


def _table(values: Mapping[str, object], above: tuple[str, ...]) -> Iterator[str]:
    # TOML has no word for a value that is not given
    given = {key: value for key, value in values.items() if value is not None}
    for key, value in given.items():
        if not isinstance(value, Mapping):
            yield f"{key} = {_value(value)}"
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield f"\n[{'.'.join((*above, key))}]"
            yield from _table(value, (*above, key))


def _value(value: object) -> str:
    if isinstance(value, str):
        # a JSON text is a TOML text, except for what ASCII calls delete
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)
