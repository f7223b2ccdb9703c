from dataclasses import replace

from transforms.exports.drive_times import DriveTimes

SECOND = 10**9


def places(*items):
    times = DriveTimes()
    found = []
    for item in items:
        times.begin(item.clip)
        found.append([(timed.time_ns, timed.number) for timed in map(times.of, item.frames)])
    return found


def of(item, camera, start_utc_ns=None):
    return replace(item, clip=replace(item.clip, camera=camera, start_utc_ns=start_utc_ns))


def test_without_times_of_day_minutes_follow_one_another(make_clip):
    items = [
        of(make_clip({0: [], 2: []}), "back"),
        of(make_clip({0: [], 1: []}), "front"),
        of(make_clip({0: []}), "back"),
        of(make_clip({1: []}), "front"),
        of(make_clip({0: []}), "back"),
    ]
    step = SECOND // 5
    assert places(*items) == [
        [(0, 0), (2 * step, 2)],
        [(0, 0), (step, 1)],
        # a minute ends with the camera that goes on longest
        [(2 * step + 1, 3)],
        [(3 * step + 1, 4)],
        [(3 * step + 2, 5)],
    ]


def test_times_of_day_tell_how_cameras_and_minutes_lie(make_clip):
    items = [
        of(make_clip({0: []}), "back", 100 * SECOND),
        of(make_clip({0: []}), "front", 100 * SECOND - 3),
        of(make_clip({0: [], 1: []}), "back", 160 * SECOND),
    ]
    assert places(*items) == [[(0, 0)], [(-3, 0)], [(60 * SECOND, 1), (60 * SECOND + SECOND // 5, 2)]]


def test_a_time_of_day_that_is_known_later_goes_on_from_there(make_clip):
    items = [
        of(make_clip({0: [], 1: []}), "front"),
        of(make_clip({0: []}), "front", 50 * SECOND),
        of(make_clip({0: []}), "front", 60 * SECOND),
    ]
    assert places(*items)[1:] == [[(SECOND // 5 + 1, 2)], [(SECOND // 5 + 1 + 10 * SECOND, 3)]]
