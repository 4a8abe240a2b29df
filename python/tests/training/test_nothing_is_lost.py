"""What was learnt survives: paths that fail, callbacks that raise, files that are damaged, runs that are killed."""

from __future__ import annotations

import errno
import importlib
import json
import os
import pickle
import resource
import subprocess
import sys
import threading

import numpy as np
import pytest

import ntkswift
from ntkswift import DivergenceError, InconsistentVersionWarning, reproduce, stax, train
from ntkswift.estimators import NTKClassifier, NTKKernel, NTKRegressor
from ntkswift.regimes import RandomFeatures
from ntkswift.training import History, NetworkHistory

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 3)), RNG.standard_normal((20, 1))
NETWORK = stax.serial(stax.Dense(4), stax.Tanh(), stax.Dense(1))
PARAMS = NETWORK.init_fn(0, X.shape)[1]


def run(steps=6, **options):
    return train(NETWORK, PARAMS, X, Y, steps=steps, batch_size=5, every=2, **options)


# MARK: paths are tried before the work


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("nowhere/run.npz", FileNotFoundError),
        ("", IsADirectoryError),
        (3, TypeError),
        (b"run.npz", TypeError),
        ("a\0b", ValueError),
    ],
)
def test_a_checkpoint_that_cannot_be_written_fails_first(tmp_path, path, error):
    seen = []
    target = tmp_path / path if isinstance(path, str) and "\0" not in path else path
    with pytest.raises(error, match=r"\[train\] checkpoint must be"):
        run(checkpoint=target, callback=lambda snapshot: seen.append(1))
    assert seen == []
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_is_no_device(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"\[train\] checkpoint must be a file.*no ordinary file"):
        run(checkpoint=tmp_path / "pipe")
    assert not (tmp_path / "pipe").is_file()


def test_room_on_the_disk_is_asked_for_first(tmp_path):
    """A limit for the size of files stands for a disk that is full."""
    network, seen = stax.serial(stax.Dense(1000), stax.Tanh(), stax.Dense(1)), []
    params = network.init_fn(0, X.shape)[1]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match=r"\[train\] checkpoint must be a file that can be written") as caught:
            train(network, params, X, Y, steps=2, checkpoint=tmp_path / "run.npz", callback=seen.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert seen == []
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_one(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run.npz").symlink_to(tmp_path / "disk" / "run.npz")
    run(checkpoint=tmp_path / "run.npz")
    assert (tmp_path / "run.npz").is_symlink()
    assert run(8, resume=tmp_path / "disk" / "run.npz").steps == 8


def test_writers_of_one_file_do_not_mix(tmp_path):
    """Several threads save different histories under one name: what is read is one of them at every moment."""
    histories, target, failed = [run(steps) for steps in (2, 4, 6)], tmp_path / "history.npz", []
    histories[0].save(target)

    def save(history):
        try:
            for _ in range(60):
                history.save(target)
        except Exception as error:
            failed.append(error)

    writers = [threading.Thread(target=save, args=(history,)) for history in histories]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        read = NetworkHistory.load(target)
        assert any(same(read, history) for history in histories)
    assert failed == []
    assert [path.name for path in tmp_path.iterdir()] == ["history.npz"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_permission_fails_first(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="can be written"):
        run(checkpoint=tmp_path / "run.npz")


def test_a_report_that_cannot_be_written_fails_first(tmp_path):
    (tmp_path / "file").write_text("kept")
    for output in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(OSError, match=r"\[resntk-spectrum\] output must be a folder"):
            reproduce.run("resntk-spectrum", output=output)
    with pytest.raises(TypeError, match="must be a path"):
        reproduce.run("resntk-spectrum", output=1)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_report_that_cannot_be_written_at_the_end_is_not_lost(tmp_path, monkeypatch):
    claims = importlib.import_module("ntkswift.reproduce.resntk_spectrum.claims")

    def computes(report, steps, **_keywords):
        report.numbers["found"] = 1
        (tmp_path / "report" / "report.json").mkdir()

    monkeypatch.setattr(claims, "reproduce", computes)
    with pytest.raises(IsADirectoryError) as caught:
        reproduce.run("resntk-spectrum", output=tmp_path / "report", progress=False)
    assert caught.value.report.numbers["found"] == 1


def test_a_history_for_a_missing_folder_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"\[NetworkHistory.save\] path must be .* folder does not exist"):
        run().save(tmp_path / "nowhere" / "history.npz")


def test_a_path_that_is_tried_keeps_the_file_that_is_there(tmp_path):
    target = tmp_path / "run.npz"
    run(checkpoint=target)
    kept = target.read_bytes()
    with pytest.raises(ValueError, match="steps"):
        run(-1, checkpoint=target)
    assert target.read_bytes() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


# MARK: errors on the way carry the history


def failing(error, step=4):
    def callback(snapshot):
        if snapshot.step == step:
            raise error

    return callback


@pytest.mark.parametrize("error", [RuntimeError("no more"), MemoryError(), OSError(5, "no more"), SystemExit(1)])
def test_an_error_on_the_way_leaves_the_history(error):
    with pytest.raises(type(error)) as caught:
        run(callback=failing(error))
    assert caught.value is error
    history = caught.value.history
    assert isinstance(history, NetworkHistory)
    assert (history.steps, history.stopped) == (4, "failed")
    assert np.array_equal(history.loss, run(4).loss)
    assert any("history" in note for note in caught.value.__notes__)
    # ... from which training goes on.
    assert train(NETWORK, history.params, X, Y, steps=1).steps == 1


@pytest.mark.parametrize("error", [RuntimeError("no more"), SystemExit(1)])
def test_an_error_on_the_way_leaves_the_checkpoint(tmp_path, error):
    """A run goes on from there to the same bits."""
    target = tmp_path / "run.npz"
    with pytest.raises(type(error)) as caught:
        run(8, checkpoint=target, callback=failing(error), optimizer="adam", x_test=X, y_test=Y)
    assert any("run.npz" in note for note in caught.value.__notes__)
    again = run(8, resume=target, optimizer="adam", x_test=X, y_test=Y)
    whole = run(8, optimizer="adam", x_test=X, y_test=Y)
    assert np.array_equal(again.loss, whole.loss)
    assert np.array_equal(again.validation_loss, whole.validation_loss)
    assert np.array_equal(again.params[0][0], whole.params[0][0])


def test_an_error_before_the_first_step_writes_nothing_over_an_older_file(tmp_path):
    target = tmp_path / "run.npz"
    run(checkpoint=target)
    kept = target.read_bytes()
    with pytest.raises(RuntimeError):
        run(checkpoint=target, callback=failing(RuntimeError(), step=0))
    assert target.read_bytes() == kept


def test_an_evaluation_that_fails_leaves_the_history(monkeypatch):
    evaluate = ntkswift.training._run.Run.evaluate

    def fail(self, x, y):
        if self.step == 4:
            raise MemoryError
        return evaluate(self, x, y)

    monkeypatch.setattr(ntkswift.training._run.Run, "evaluate", fail)
    with pytest.raises(MemoryError) as caught:
        run(x_test=X, y_test=Y)
    assert caught.value.history.steps == 4
    assert caught.value.history.recorded.tolist() == [0, 2]


def test_a_disk_that_is_full_on_the_way_keeps_its_error(tmp_path, monkeypatch):
    def full(*_arguments, **_keywords):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left") as caught:
        run(checkpoint=tmp_path / "run.npz", checkpoint_every=2)
    assert caught.value.history.steps == 2
    assert any("could not be written" in note for note in caught.value.__notes__)


def test_a_disk_that_is_full_at_the_end_leaves_the_history(tmp_path, monkeypatch):
    def full(*_arguments, **_keywords):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left") as caught:
        run(checkpoint=tmp_path / "run.npz")
    assert caught.value.history.steps == 6
    assert list(tmp_path.iterdir()) == []


def test_divergence_keeps_its_own_history():
    with pytest.raises(DivergenceError) as caught, np.errstate(all="ignore"):
        run(200, optimizer=ntkswift.training.SGD(1e6))
    assert caught.value.history.stopped == "diverged"


# MARK: damaged files


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    target = tmp_path_factory.mktemp("runs") / "run.npz"
    run(checkpoint=target)
    return target.read_bytes()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    target = tmp_path_factory.mktemp("runs") / "history.npz"
    run().save(target)
    return target.read_bytes()


def damages(data, count):
    """Copies of a file with bytes changed, cut, doubled, or put in from elsewhere."""
    rng = np.random.default_rng(1)
    for k in range(count):
        copy, at = bytearray(data), int(rng.integers(len(data)))
        if k % 4 == 0:
            copy[at] ^= 1 << int(rng.integers(8))
        elif k % 4 == 1:
            del copy[at:]
        elif k % 4 == 2:
            copy[at : at + 40] = rng.bytes(40)
        else:
            copy[at:at] = copy[:at]
        if bytes(copy) != data:
            yield bytes(copy)


def same(history, other):
    return history.steps == other.steps and np.array_equal(history.loss, other.loss)


def test_damaged_checkpoints_are_refused(tmp_path, checkpoint):
    """A changed byte that no check sees, such as a date in the archive, leaves the same run."""
    target, whole, refused = tmp_path / "run.npz", run(8), 0
    for data in damages(checkpoint, 400):
        target.write_bytes(data)
        try:
            assert same(run(8, resume=target), whole)
        except ValueError as error:
            assert str(error).startswith("[train] resume")  # noqa: PT017
            refused += 1
    assert refused > 200


def test_damaged_histories_are_refused(tmp_path, saved):
    target, whole, refused = tmp_path / "history.npz", run(), 0
    for data in damages(saved, 400):
        target.write_bytes(data)
        try:
            assert same(NetworkHistory.load(target), whole)
        except ValueError as error:
            assert str(error).startswith("[NetworkHistory.load]")  # noqa: PT017
            refused += 1
    assert refused > 200


def rewritten(data, target, **changes):
    """The checkpoint with some arrays replaced, as a file without a scratch."""
    target.write_bytes(data)
    with np.load(target) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, change in changes.items():
        made = change(arrays[name])
        arrays = (
            {key: value for key, value in arrays.items() if key != name} if made is None else {**arrays, name: made}
        )
    np.savez(target, **arrays)
    return target


def other_header(text):
    return np.array(json.dumps({**json.loads(str(text[()])), "format": 99}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"header": lambda a: None}, "must be a file that"),
        ({"header": lambda a: np.array("{}")}, "must be a file that"),
        ({"header": lambda a: np.array("[1]")}, "must be a file that"),
        ({"header": other_header}, "format 99"),
        ({"state": lambda a: None}, "must hold"),
        ({"parameters": lambda a: a[:-1]}, "parameters of shape"),
        ({"parameters": lambda a: a * np.nan}, "finite parameters"),
        ({"moments": lambda a: a.astype(np.int64)}, "moments of shape"),
        ({"records": lambda a: a[:, :-1]}, "one record for each"),
        ({"records": lambda a: a[0]}, "records of shape"),
        ({"state": lambda a: a + 0.5}, "one record for each"),
        ({"state": lambda a: -a}, "one record for each"),
        ({"recorded": lambda a: a[::-1]}, "ascending steps"),
        ({"recorded": lambda a: a + 100}, "ascending steps"),
        ({"best": lambda a: np.ones(3)}, "ascending steps"),
        ({"best": lambda a: np.array([np.nan])}, "finite best"),
        ({"records": lambda a: np.full_like(a, np.inf)}, "finite records"),
        ({"parameters": lambda a: a.astype(">f8")}, "dtype float64"),
        ({"parameters": lambda a: a.astype(np.float16)}, "dtype float64"),
    ],
)
def test_checkpoints_that_no_run_wrote(tmp_path, checkpoint, changes, message):
    with pytest.raises(ValueError, match=message):
        run(8, resume=rewritten(checkpoint, tmp_path / "run.npz", **changes))


def test_the_order_of_arrays_in_a_file_is_free(tmp_path, checkpoint):
    target = rewritten(checkpoint, tmp_path / "run.npz", records=np.asfortranarray, moments=np.asfortranarray)
    assert same(run(8, resume=target), run(8))


def header_with(**changes):
    return lambda text: np.array(json.dumps({**json.loads(str(text[()])), **changes}))


def deep(text):
    return np.array(str(text[()]).replace('"params": [', '"params": [' + 700 * "[" + 700 * "]" + ", ", 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"header": header_with(**{"class": ["NetworkHistory"]})},
        {"header": header_with(**{"class": "Bottleneck"})},
        {"header": header_with(values=None)},
        {"header": header_with(values=[1])},
        {"header": header_with(values={"steps": 6})},
        {"header": header_with(values={"steps": "six", "stopped": "finished"})},
        {"header": header_with(params=[7, 99])},
        {"header": deep},
        {"loss": lambda a: None},
        {"loss": lambda a: a[None]},
        {"loss": lambda a: a.astype(str)},
        {"parameter_0": lambda a: None},
    ],
)
def test_histories_that_no_run_saved(tmp_path, saved, changes):
    with pytest.raises(ValueError, match=r"\[NetworkHistory.load\] (path must hold|needs a file of)"):
        NetworkHistory.load(rewritten(saved, tmp_path / "history.npz", **changes))


def test_other_files_are_no_checkpoints(tmp_path, saved):
    (tmp_path / "text").write_text("hello")
    np.save(tmp_path / "array.npy", np.arange(3))
    (tmp_path / "pickle").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "history.npz").write_bytes(saved)
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match=r"\[train\] resume must be a file that"):
            run(8, resume=path)
    with pytest.raises(FileNotFoundError):
        run(8, resume=tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        run(8, resume=tmp_path)
    with pytest.raises(TypeError, match="must be a path"):
        run(8, resume=0)
    with pytest.raises(TypeError, match="must be a path"):
        run().save(1)
    with pytest.raises(TypeError, match="must be a path"):
        History.load(1)


def test_data_of_a_reproduction_are_looked_at_first(tmp_path):
    (tmp_path / "data.npz").write_bytes(b"PK\3\4 damaged")
    with pytest.raises(ValueError, match=r"\[break-even\] data must be an npz file"):
        reproduce.run("break-even", data=tmp_path / "data.npz")
    with pytest.raises(TypeError, match=r"\[break-even\] data must be a path"):
        reproduce.run("break-even", data=0)


def test_a_killed_run_leaves_nothing_for_ever(tmp_path):
    """A run that dies while it writes leaves a draft; the next run of the same checkpoint takes its place."""
    program = (
        "import os, signal, sys\nimport numpy as np\nfrom ntkswift import stax, train\n"
        "def die(file, **arrays):\n    file.write(b'half')\n    file.flush()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "np.savez = die\nnetwork = stax.serial(stax.Dense(2), stax.Tanh(), stax.Dense(1))\nx = np.eye(3)\n"
        "train(network, network.init_fn(0, x.shape)[1], x, x[:, :1], steps=2, checkpoint=sys.argv[1])\n"
    )
    target = tmp_path / "run.npz"
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", program, target], check=False).returncode == -9
        assert len(list(tmp_path.iterdir())) == 1
    run(checkpoint=target)
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


# MARK: pickles


@pytest.mark.parametrize(
    "fitted",
    [
        NTKRegressor().fit(X, Y[:, 0]),
        NTKClassifier().fit(X, Y[:, 0] > 0),
        RandomFeatures(5, random_state=0).fit(X, Y[:, 0]),
    ],
    ids=lambda fitted: type(fitted).__name__,
)
def test_pickles_know_their_version(fitted, monkeypatch, recwarn):
    data = pickle.dumps(fitted)
    assert np.array_equal(pickle.loads(data).predict(X), fitted.predict(X))
    assert not recwarn
    monkeypatch.setattr("ntkswift._pickling._core.version", lambda: "9.9.9")
    with pytest.warns(
        InconsistentVersionWarning, match=rf"written by ntkswift {ntkswift.__version__} and is read by 9\.9\.9"
    ):
        again = pickle.loads(data)
    assert np.array_equal(again.predict(X), fitted.predict(X))


def test_pickles_of_kernels_know_their_version(monkeypatch):
    data = pickle.dumps(NTKKernel(depth=2))
    monkeypatch.setattr("ntkswift._pickling._core.version", lambda: "9.9.9")
    with pytest.warns(InconsistentVersionWarning, match="NTKKernel"):
        assert pickle.loads(data) == NTKKernel(depth=2)
