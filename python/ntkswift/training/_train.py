"""`train`: one call for all optimisers, losses and modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike, fspath
from typing import Any

from .. import _core
from .._arrays import check_array
from .._call import Progress, Resources, takes_resources
from .._checks import integer
from .._errors import DivergenceError
from .._files import try_file
from .._networks import LOSSES
from .._random import philox_key
from .._runs import keeping
from ._checkpoint import load_checkpoint, save_checkpoint
from ._early_stopping import EarlyStopping
from ._history import NetworkHistory
from ._optimizers import GD, Flow, Optimizer, optimizer_of
from ._problem import Problem, make_problem
from ._run import Run
from ._schedules import Schedule, schedule_of
from ._snapshot import Snapshot

_NO_SCHEDULE = {"shape": 0, "warmup": 0}
_RECORDS = 20


@takes_resources()
def train(
    network: Any,
    params: Any,
    x: Any,
    y: Any,
    *,
    optimizer: str | Optimizer = "sgd",
    loss: str = "mse",
    steps: int | None = None,
    epochs: int | None = None,
    time: float | None = None,
    batch_size: int | None = None,
    schedule: str | Schedule | None = None,
    mode: str = "full",
    x_test: Any = None,
    y_test: Any = None,
    seed: Any = 0,
    callback: Callable[[Snapshot], Any] | Sequence[Callable[[Snapshot], Any]] | None = None,
    every: int | None = None,
    stop: EarlyStopping | None = None,
    gradient_norm: bool = False,
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: str | PathLike[str] | None = None,
    memory_limit: int | None = None,
    progress: Progress | None = None,
) -> NetworkHistory:
    """Train a finite network, and return what happened together with the parameters at the end.

    Ctrl-C ends training after a whole step and returns the history so far (``history.interrupted``). Results have the
    same bits for any number of threads.

    Parameters
    ----------
    network : Layer, ApplyFunction or (init_fn, apply_fn, kernel_fn)
        The network.
    params : nested tuples
        Its parameters at the start, as `init_fn` returns them. They are not changed.
    x : array_like of shape (n, ...)
        Inputs.
    y : array_like
        Targets of shape (n, outputs); (n,) for one output. For the losses of classes their probabilities, or labels (n,):
        integers, booleans, or strings, which are numbered in the order of `numpy.unique` (``history.classes``).
    optimizer : {"gd", "sgd", "adam", "flow"} or GD, SGD, Adam, Flow
        How parameters change; the names stand for the defaults of the classes of `ntkswift.training`.
    loss : {"mse", "cross_entropy", "logistic"}
        ``0.5 mean (f - y)^2`` over inputs and outputs, the loss of `predict.gradient_descent_mse`;
        ``-mean_i sum_k y_ik log softmax(f_i)_k`` of two outputs or more, one per class; ``mean_i log(1 + exp f_i) - y_i f_i`` of
        one output, the log odds of the second of two classes.
    steps, epochs : int, optional
        How long to train; one of them, for all optimisers but Flow. An epoch takes all inputs once.
    time : float, optional
        How long to train by gradient flow; learning rate times steps is the time of gradient descent.
    batch_size : int, optional
        Inputs per step; by default all, in their own order. Smaller batches take the inputs of each epoch in a new
        random order.
    schedule : {"constant", "cosine"} or Constant, Piecewise, Cosine, optional
        How the learning rate changes.
    mode : {"full", "lazy", "random_features"}, or "nn", "nt", "rf" for short
        What is trained: all parameters; all parameters of the network linearised in them at `params`,
        ``f + J (theta - params)`` (the neural tangent model of this network); the last layer only, on the features
        that the others make.
    x_test, y_test : array_like, optional
        Validation data, evaluated before training, every `every` steps, and at the end. Dropout in train mode and
        BatchNorm act there too, as the layers say.
    seed : int, sequence of int, SeedSequence, Generator
        Of the order of the inputs and of Dropout.
    callback : function or sequence of functions, optional
        Called with a `Snapshot` every `every` steps, or as often as their own attribute `every` says, and at the end;
        returning True ends training. `ntkswift.curvature.Tracker` is one.
    every : int, optional
        Steps between two validations or callbacks; a twentieth of the run by default (100 steps of gradient flow).
    stop : EarlyStopping, optional
        When to end before the last step.
    gradient_norm : bool
        Record the norm of each gradient.
    checkpoint : path, optional
        A file to which the state is written at the end, after Ctrl-C or an error, and every `checkpoint_every` steps; not
        after divergence. It is tried before the first step.
    checkpoint_every : int, optional
        See above.
    resume : path, optional
        A checkpoint from which training goes on, to the same bits as without the interruption. Network, data and
        settings must be the same; `params` is then only looked at for its shapes. `steps` counts from the start.
    memory_limit : int, optional
        Bytes that this call may allocate; see `ntkswift.memory_limit`.
    progress : function, optional
        Called with the fraction done; by default a bar where somebody watches.

    Returns
    -------
    NetworkHistory

    Raises
    ------
    ValueError, TypeError
        Where an argument is wrong; the message names it.
    OSError
        Where `checkpoint` cannot be written.
    DivergenceError
        Where the loss is not finite any more, as with too large a learning rate; its `history` has what came before.
        So does the `history` of any other error on the way, as of a callback.

    Examples
    --------
    >>> import numpy as np
    >>> from ntkswift import stax, train
    >>> from ntkswift.training import Adam
    >>> network = stax.serial(stax.Dense(128), stax.Relu(), stax.Dense(2))
    >>> x = np.random.default_rng(0).standard_normal((64, 3))
    >>> labels = (x[:, 0] > 0).astype(int)
    >>> _, params = network.init_fn(0, x.shape)
    >>> history = train(
    ...     network, params, x, labels, optimizer=Adam(1e-2), loss="cross_entropy", epochs=20, batch_size=16
    ... )
    >>> history.steps
    80
    >>> bool(history.loss[-4:].mean() < 0.3)
    True
    """
    chosen = optimizer_of(optimizer)
    stop = stop if stop is not None else EarlyStopping()
    problem = make_problem(
        network, params, x, y, loss=loss, mode=mode, key=philox_key(seed, op="train"), batch_size=batch_size
    )
    if isinstance(chosen, (GD, Flow)) and problem.batch_size != len(problem.x):
        raise ValueError(
            f"[train] {type(chosen).__name__} takes all inputs in every step. Received batch_size {batch_size}."
        )
    total, until = _length(problem, chosen, steps, epochs, time)
    core, settings = _core_training(problem, chosen, schedule_of(schedule), total, until, stop)
    run = Run(
        problem,
        core,
        chosen,
        steps=total,
        every=_every(every, total),
        validation=_validation(problem, x_test, y_test, stop),
        stop=stop,
        callbacks=_callbacks(callback),
        wants_norm=gradient_norm,
        resources=Resources(),
        settings=settings,
    )
    return _carry_out(run, checkpoint, checkpoint_every, resume)


def _carry_out(run: Run, checkpoint: Any, save_every: Any, resume: Any) -> NetworkHistory:
    identity = _identity(run) if checkpoint is not None or resume is not None else {}
    if resume is not None:
        run.resume(load_checkpoint(resume, identity, run.arrays()))
    if save_every is not None:
        if checkpoint is None:
            raise ValueError("[train] checkpoint_every needs checkpoint, a file. Received None.")
        run.save_every = integer(save_every, "train", "checkpoint_every")
    if checkpoint is not None:
        size = sum(array.nbytes for array in run.arrays().values())
        target = try_file(checkpoint, "train", "checkpoint", size=size)
        run.autosave = lambda: save_checkpoint(target, identity, run.arrays())
    run.begin()
    first = run.step
    try:
        history: NetworkHistory = run.run()
    except DivergenceError:  # no later run would go on from here
        raise
    except BaseException as error:
        if run.autosave is not None and run.step > first:
            _save_after(error, run.autosave, checkpoint)
        raise
    if run.autosave is not None:
        with keeping(history):
            run.autosave()
    return history


def _save_after(error: BaseException, save: Callable[[], None], checkpoint: Any) -> None:
    """Write the checkpoint of a run that an error has ended; the error says so, and stays the one that is raised."""
    try:
        save()
    except Exception as failure:
        error.add_note(f"The checkpoint could not be written: {failure}")
    else:
        error.add_note(f"The steps before it are in the checkpoint {fspath(checkpoint)!r}.")


def _identity(run: Run) -> dict[str, Any]:
    """What must be the same where a run goes on."""
    problem = run.problem
    return {
        "network": problem.fingerprint, "network_text": f"{problem.network.layer!r} for inputs of shape {problem.network.shape}",
        "data": problem.data_digest(), "batch_size": problem.batch_size, "seed": list(problem.key),
        "gradient_norm": len(run.records) == 4, **run.settings,
    }  # fmt: skip


# MARK: arguments


def _length(problem: Problem, chosen: Optimizer, steps: Any, epochs: Any, time: Any) -> tuple[int | None, float]:
    """Steps, or (None, time) for gradient flow."""
    if isinstance(chosen, Flow):
        if time is None or steps is not None or epochs is not None:
            raise ValueError("[train] gradient flow needs time, and neither steps nor epochs. Received others.")
        until = float(check_array(time, "time", ndim=0, dtype=float, op="train"))
        if not until >= 0:
            raise ValueError(f"[train] time must be at least 0. Received {time!r}.")
        return None, until
    if time is not None or (steps is None) == (epochs is None):
        raise ValueError(
            "[train] needs either steps or epochs; time is for gradient flow. Received both, none, or time."
        )
    if steps is not None:
        return integer(steps, "train", "steps", minimum=0), 0.0
    return integer(epochs, "train", "epochs", minimum=0) * problem.steps_per_epoch, 0.0


def _core_training(
    problem: Problem, chosen: Optimizer, schedule: Schedule, total: int | None, until: float, stop: EarlyStopping
) -> tuple[Any, dict[str, Any]]:
    """The core's description, and the settings as text."""
    defaults = {
        "learning_rate": 1.0, "momentum": 0.0, "is_nesterov": False, "b1": 0.0, "b2": 0.0, "epsilon": 1.0, "weight_decay": 0.0,
        "cosine_steps": 1, "cosine_final": 0.0, "boundaries": [], "factors": [], "tolerance": 1e-6,
    }  # fmt: skip
    rates = _NO_SCHEDULE if isinstance(chosen, Flow) else schedule._settings(total or 0)
    core = _core.Training(
        **{**defaults, **rates, **chosen._settings()},
        time=until,
        loss=LOSSES[problem.loss],
        is_linearised=problem.mode == "lazy",
        batch_size=problem.batch_size,
        key=problem.key,
        threshold=float("-inf") if stop.threshold is None else float(stop.threshold),
    )
    rates = {name: value for name, value in rates.items() if name != "shape"}
    return core, {
        "optimizer": repr(chosen),
        "schedule": f"{type(schedule).__name__}: {rates}",
        "loss": problem.loss,
        "mode": problem.mode,
        "stop": repr(stop),
        **({"classes": list(problem.classes)} if problem.classes else {}),
        **({"time": until} if isinstance(chosen, Flow) else {}),
    }


def _validation(problem: Problem, x_test: Any, y_test: Any, stop: EarlyStopping) -> Any:
    if (x_test is None) != (y_test is None):
        raise ValueError("[train] x_test and y_test belong together. Received one of them.")
    if x_test is None:
        if stop.needs_validation:
            raise ValueError(
                "[train] EarlyStopping with patience or restore_best needs x_test and y_test. Received None."
            )
        return None
    rows = problem.rows(x_test, y_test, "_test")
    if len(rows[0]) == 0:
        raise ValueError("[train] x_test must have at least one row. Received none.")
    return rows


def _every(every: Any, total: int | None) -> int:
    if every is not None:
        return integer(every, "train", "every")
    return 100 if total is None else max(1, total // _RECORDS)


def _callbacks(given: Any) -> list[Callable[[Snapshot], Any]]:
    calls = [] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
    for call in calls:
        if not callable(call):
            raise TypeError(f"[train] callback must be a function, or a sequence of them. Received {call!r}.")
    return calls
