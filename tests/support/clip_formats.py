"""Containers and codecs that clips come in, as the makers of test clips take them."""

FORMS = [
    ("mp4", "libx264", {"b_frames": 2}),
    ("mp4", "libx264", {"b_frames": 2, "options": {"x264-params": "open-gop=1"}}),
    ("matroska", "libx265", {"b_frames": 2}),
    ("mpegts", "libx264", {"b_frames": 2}),
    ("avi", "mpeg4", {}),
    ("avi", "libx264", {"b_frames": 2}),
    ("h264", "libx264", {"b_frames": 2}),
    ("webm", "libvpx-vp9", {}),
]
