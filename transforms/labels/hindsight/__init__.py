"""What the whole clip tells about every frame: labels after the last frame was seen."""
