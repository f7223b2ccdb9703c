from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest
from made_sets import filled

from transforms.budget.demand.figures import Tally
from transforms.tables.commits import ShardSummary, commit_shard
from transforms.tables.schemas import CLIPS, SHARD_TABLES, TELEMETRY
from transforms.tables.store import LocalStore

MakeShard = Callable[..., ShardSummary]


@pytest.fixture
def store(tmp_path) -> LocalStore:
    return LocalStore(tmp_path)


@pytest.fixture
def make_shard(store) -> MakeShard:
    """Commits a shard of clips without frames."""

    def make(
        name: str,
        drive: str,
        uris: Sequence[str],
        *,
        positions: Sequence[tuple[float | None, float | None]] = (),
        starts_ns: Sequence[int | None] = (),
        events: Sequence[str] = (),
    ) -> ShardSummary:
        clips = [(f"clip {uri}", uri) for uri in uris]
        tables: dict[str, pa.Table] = {table: schema.empty_table() for table, schema in SHARD_TABLES.items()}
        tables["clips"] = filled(
            CLIPS,
            {
                "clip_id": [clip for clip, _ in clips],
                "uri": list(uris),
                "drive_id": [drive] * len(clips),
                "start_utc_ns": list(starts_ns) or [None] * len(clips),
            },
        )
        if positions:
            latitudes, longitudes = zip(*positions, strict=True)
            tables["telemetry"] = filled(
                TELEMETRY,
                {
                    "clip_id": [clips[0][0]] * len(positions),
                    "pts": list(range(len(positions))),
                    "latitude_deg": list(latitudes),
                    "longitude_deg": list(longitudes),
                },
            )
        summary = ShardSummary(
            name=name,
            drive_id=drive,
            label_digest=name,
            files=(),
            counts={table: rows.num_rows for table, rows in tables.items()},
            clips=tuple(clips),
            event_ids=tuple(events) or ("",) * len(clips),
            models=(),
            frames_labelled={},
            tally=Tally(),
            tracks=(),
            heads={},
            tail={},
            failures=(),
        )
        return commit_shard(store, summary, tables)

    return make
