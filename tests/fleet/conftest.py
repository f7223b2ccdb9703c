import sys
from pathlib import Path

# after tests/support: two modules there are called as benchmarks are
sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
