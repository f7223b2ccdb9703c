"""What is learnt from frames: detections, tracks, quality."""
