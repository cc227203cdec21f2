"""Small segments in tests: here, and on every worker, also on those that start later."""

from __future__ import annotations

import distributed

from batchprop import segments

SIZE = 64


class SmallSegments(distributed.WorkerPlugin):
    """Sets the size of segments when a worker starts."""

    name = "small-segments"

    def setup(self, worker):
        segments.SEGMENT_SAMPLES = SIZE
