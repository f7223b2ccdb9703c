"""How pictures move: points followed through them, the camera's own motion, cuts, and boxes carried along."""
