"""``make bench``: the road against its floor, and publishing against a confirm per message."""

from __future__ import annotations

import sys

from benchmarks import publish, road

if __name__ == "__main__":
    sys.exit(publish.main() or road.main())
