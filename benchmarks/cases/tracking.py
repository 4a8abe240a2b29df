"""What a tracker costs beside the training that it watches: the break-even reproduction's CNN on digits."""

from __future__ import annotations

import statistics
import time
from typing import Any

from ..harness.report import Report, Table, Target
from ..harness.settings import Settings

SAMPLES, EVERY, RATE = 256, 10, 0.2
# Training batch -> steps; the paper trains with 128.
BATCHES: dict[int | None, int] = {64: 200, 128: 200, None: 40}


def run(settings: Settings, get: Any) -> Report:
    """CPU seconds of training alone and of the tracker, alternating, one thread, a measurement every ten steps."""
    import ntkswift
    from ntkswift.reproduce.break_even import runs as break_even

    data = break_even.load(None, break_even.SMALL.inputs)
    network = break_even.network("CNN", break_even.SMALL, data.y.shape[1])
    _, params = network.init_fn([0, 7], data.x.shape)
    rows, targets, times = [], [], {}
    for batch, steps in BATCHES.items():
        pairs = []
        with ntkswift.num_threads(1):
            for repeat in range(settings.repeats + 1):
                pair = one(network, params, data, batch, settings.size(steps, 20))
                pairs += [pair] if repeat else []
        name = f"batch {batch or f'{len(data.x)} (full)'}"
        training, tracking, covariance = (statistics.median(values) for values in zip(*pairs))
        ratio = statistics.median(tracked / trained for trained, tracked, _ in pairs)
        rows.append([name, training, tracking, covariance, ratio])
        targets.append(Target(f"CPU seconds, tracking / training [{name}]", ratio, "<=", 1, judged=not settings.quick))
        times[name] = pairs
    title = f"tracking every {EVERY} steps, {SAMPLES} samples, CNN with {parameters(params)} parameters, one thread"
    columns = ["training", "training alone, CPU s", "tracker, CPU s", "of which covariance", "tracker / training"]
    return Report([Table(title, columns, rows)], targets, {"seconds": times})


def one(network: Any, params: Any, data: Any, batch: int | None, steps: int) -> tuple[float, float, float]:
    """CPU seconds of training, of the tracker in a second run of it, and of the tracker's covariances."""
    from ntkswift.curvature import Tracker
    from ntkswift.training import SGD, train

    def training(callback: Any) -> float:
        began = time.process_time()
        train(
            network,
            params,
            data.x,
            data.y,
            optimizer=SGD(RATE),
            loss="cross_entropy",
            steps=steps,
            batch_size=batch,
            seed=[0, 8],
            callback=callback,
            every=EVERY,
        )
        return time.process_time() - began

    alone = training(None)
    tracker = Tracker(samples=SAMPLES, every=EVERY)
    training(tracker)
    return alone, tracker.seconds, tracker.cost["covariance"]


def parameters(params: Any) -> int:
    """How many numbers are trained."""
    if isinstance(params, (tuple, list)):
        return sum(parameters(part) for part in params)
    return 0 if params is None else params.size
