from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from transforms.labels.joining import first_tracks


@dataclass
class Shard:
    tracks: tuple[str, ...]
    heads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tail: dict[str, str] = field(default_factory=dict)


def objects_of(shards):
    """The first track of every track's object."""
    first = first_tracks(shards)
    return {track: first.get(track, track) for shard in shards for track in shard.tracks}


def test_tracks_that_saw_the_same_detection_are_one_object():
    objects = objects_of(
        [
            Shard(("a1", "a2"), tail={"d1": "a1", "d2": "a2"}),
            Shard(("b1", "b2"), heads={"b1": ("d1",)}, tail={"d3": "b1"}),
            Shard(("c1",), heads={"c1": ("d3",)}),
        ]
    )
    assert objects["a1"] == objects["b1"] == objects["c1"]
    assert len(set(objects.values())) == 3


def test_a_detection_that_no_track_held_joins_nothing():
    objects = objects_of([Shard(("a",)), Shard(("b",), heads={"b": ("unknown",)})])
    assert objects["a"] != objects["b"]


def test_an_earlier_detection_joins_where_the_last_one_was_of_no_track():
    objects = objects_of([Shard(("a",), tail={"d1": "a"}), Shard(("b",), heads={"b": ("d2", "d1")})])
    assert objects["a"] == objects["b"]


@given(st.permutations(range(6)))
def test_the_order_of_shards_does_not_matter(order):
    chain = [
        Shard((f"t{at}",), heads={f"t{at}": (f"d{at - 1}",)} if at else {}, tail={f"d{at}": f"t{at}"})
        for at in range(6)
    ]
    objects = objects_of([chain[at] for at in order])
    assert objects == objects_of(chain)
    assert len(set(objects.values())) == 1
