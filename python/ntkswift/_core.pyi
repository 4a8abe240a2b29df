# Generated with nanobind 3.1.0: make stubs
"""
The Swift core of ntkswift: what it computes, without the checks and conveniences of the package.
"""

from collections.abc import Sequence
import enum
from typing import Annotated, Any

import numpy
import numpy.typing
from numpy.typing import NDArray


def version() -> str:
    """Version of the core."""

def cpu_level() -> int:
    """x86-64 level in use (2, 3 or 4); 0 on other processors."""

def cpu_level_available() -> int:
    """Highest x86-64 level that this processor runs; 0 on others."""

def set_cpu_level(level: int) -> None:
    """Chooses the x86-64 level. ValueError where the processor lacks it."""

def cpu_count() -> int:
    """Processors that this process may use."""

def available_memory() -> int:
    """Bytes that can be allocated without swapping."""

def philox_raw(key: Annotated[NDArray[numpy.uint64], dict(shape=(2), order='C', device='cpu', writable=False)], counter: Annotated[NDArray[numpy.uint64], dict(shape=(4), order='C', device='cpu', writable=False)], count: int) -> numpy.typing.NDArray:
    """
    The next `count` raw words of numpy.random.Philox(counter=counter, key=key), as uint64.
    """

def philox_normal(key: Annotated[NDArray[numpy.uint64], dict(shape=(2), order='C', device='cpu', writable=False)], counter: Annotated[NDArray[numpy.uint64], dict(shape=(4), order='C', device='cpu', writable=False)], count: int) -> numpy.typing.NDArray:
    """Standard normal numbers from the Philox stream, as float64."""

class Signal:
    """What flows between layers."""

    @property
    def spatial(self) -> tuple:
        """Lengths of the axes between batch and channels."""

    @property
    def channels(self) -> int:
        """Numbers at each position."""

    @property
    def blocks(self) -> int:
        """
        Rows for each input: more than one after a concatenation along the batch.
        """

    @property
    def is_gaussian(self) -> bool:
        """Whether it is a Gaussian process in the infinite limit."""

class ParameterSlot:
    """One array of a finite network's parameters."""

    @property
    def role(self) -> str:
        """weight, bias, scale or shift."""

    @property
    def layer(self) -> int:
        """Number of its layer, from 1, compositions not counted."""

    @property
    def offset(self) -> int:
        """First number in the flat vector."""

    @property
    def fan_in(self) -> int:
        """Numbers of the input that one output reads."""

    @property
    def initial_deviation(self) -> float:
        """Standard deviation of a random start; 0 for scale and shift."""

    @property
    def shape(self) -> tuple:
        """
        Weights: window, inputs, outputs; biases: 1 ... 1, outputs; scale and shift: channels.
        """

    @property
    def is_trainable(self) -> bool:
        """Whether training moves it."""

class OpKind(enum.IntEnum):
    """Kinds of layers in op tables; activations have codes of their own."""

    SERIAL = 1

    PARALLEL = 2

    IDENTITY = 3

    DENSE = 4

    FAN_OUT = 5

    FAN_IN_SUM = 6

    FAN_IN_PROD = 7

    FAN_IN_CONCAT = 8

    LAYER_NORM = 9

    DROPOUT = 10

    CONVOLUTION = 11

    POOL = 12

    GLOBAL_POOL = 13

    FLATTEN = 14

    BATCH_NORM = 15

    FIRST_ACTIVATION = 100

def activations() -> list[dict]:
    """
    The catalogue of activations: for each its code in op tables, its name and its parameters (name, kind, least, most,
    is_open, default).
    """

class Architecture:
    """A network, decoded from an op table (see ntkswift.h) and validated."""

    def __init__(self, ops: Annotated[NDArray, dict(device='cpu', writable=False)], integers: Annotated[NDArray, dict(device='cpu', writable=False)], reals: Annotated[NDArray, dict(device='cpu', writable=False)], functions: list) -> None:
        """
        The records of the op table, int64 (n, 6): kind, arity, first integer, integers, first real, reals; the pools of
        integers, int64 (i,), and of reals, float64 (r,), that they take parts of; and for each user function a tuple
        (f, f', dual, derivative of the dual) with None where absent.
        """

    @property
    def dense_count(self) -> int:
        """Dense layers, numbered in the order of the op table."""

    @property
    def trains_with_dropout(self) -> bool:
        """Whether a Dropout in train mode is inside."""

    @property
    def starts_with_flatten(self) -> bool:
        """Whether inputs of any shape become flat before anything else."""

    def output(self, width: int, is_gaussian: bool | None = None) -> Signal:
        """
        The signal at the end of the infinitely wide network for flat inputs of a width; `is_gaussian` says what the kernel of an
        earlier network is, None that data enter.
        """

    def parameters(self, shapes: Sequence[Sequence[int]], is_branched: bool) -> tuple[list[Signal], bool, list[ParameterSlot]]:
        """
        Signals at the end of the finite network, whether they are branches, and the arrays of its parameters. Shapes are those of one
        input each, one for each branch.
        """

def kernel(architecture: Architecture, x1: Annotated[NDArray, dict(device='cpu', writable=False)], x2: Annotated[NDArray, dict(device='cpu', writable=False)] | None, nngp: bool, ntk: bool, cov: bool, out_nngp: Annotated[NDArray, dict(device='cpu')] | None = None, out_ntk: Annotated[NDArray, dict(device='cpu')] | None = None, plan: bytes | None = None, places: tuple[int, int] | None = None, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> dict[str, Any]:
    """
    Kernels between the inputs x1 and x2 (None: x1): a dict with the wanted of nngp, ntk, cov1 and cov2.
    """

def kernel_diagonal(architecture: Architecture, x: Annotated[NDArray, dict(device='cpu', writable=False)], nngp: bool, ntk: bool, plan: bytes | None = None, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> dict[str, Any]:
    """
    Kernels of each input with itself: a dict with the wanted of nngp and ntk, float64.
    """

def kernel_plan(architecture: Architecture, x1: Annotated[NDArray, dict(device='cpu', writable=False)], x2: Annotated[NDArray, dict(device='cpu', writable=False)] | None, nngp: bool, ntk: bool, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> bytes:
    """What `kernel` decides from all inputs together, as bytes."""

def describe_plan(plan: bytes) -> tuple[int, bool, bool, bool]:
    """
    Numbers of one input, whether it is for float32, for the NNGP, for the NTK; ValueError where the bytes are no plan.
    """

def kernel_from_kernel(architecture: Architecture, nngp: Annotated[NDArray, dict(device='cpu', writable=False)], ntk: Annotated[NDArray, dict(device='cpu', writable=False)] | None, cov1: Annotated[NDArray, dict(device='cpu', writable=False)], cov2: Annotated[NDArray, dict(device='cpu', writable=False)] | None, width: int, is_gaussian: bool, x1_is_x2: bool, get_ntk: bool, output_blocks: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> dict[str, Any]:
    """
    Kernels of a network that follows another one whose kernel is given: nngp, ntk, cov1 and cov2.
    """

def kernel_tangent(architecture: Architecture, x1: Annotated[NDArray, dict(device='cpu', writable=False)], x2: Annotated[NDArray, dict(device='cpu', writable=False)] | None, dense_W: Annotated[NDArray, dict(device='cpu', writable=False)], dense_b: Annotated[NDArray, dict(device='cpu', writable=False)], nngp: bool, ntk: bool, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> dict[str, Any]:
    """
    Directional derivative of the kernels: Dense layer k has its W_std changed by dense_W[k] and its b_std by dense_b[k].
    """

def kernel_memory(architecture: Architecture, n1: int, n2: int, width: int, float32: bool, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple[int, int]:
    """
    Bytes that `kernel` would allocate beside its results, and the threads it would use.
    """

class Network:
    """
    A finite network for inputs of one shape. Parameters are one flat float64 vector.
    """

    def __init__(self, architecture: Architecture, input_shape: Sequence[int], spatial_axes: int) -> None:
        """input_shape: height, width, channels (1, 1, d for flat inputs)."""

    @property
    def parameter_count(self) -> int:
        """Length of the flat vector."""

    @property
    def output_shape(self) -> list[int]:
        """Height, width, channels of one output."""

    @property
    def output_spatial_axes(self) -> int:
        """0, 1 or 2."""

    @property
    def output_blocks(self) -> int:
        """Rows of output per input."""

    @property
    def couples_batch(self) -> bool:
        """Whether outputs depend on the other inputs of the batch (BatchNorm)."""

    def derivatives(self, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], x: Annotated[NDArray, dict(device='cpu', writable=False)], directions: Annotated[NDArray, dict(device='cpu', writable=False)] | None, sets: Sequence[int], seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> list:
        """
        Outputs (set 0) and their mixed derivatives along the rows of directions in the bit masks `sets`, one array each.
        """

    def pull_back(self, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], x: Annotated[NDArray, dict(device='cpu', writable=False)], cotangents: Annotated[NDArray, dict(device='cpu', writable=False)], seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
        """Sum over rows of J^T cotangent."""

    def loss(self, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], kind: int, x: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], with_gradient: bool, seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
        """(loss, gradient or None); kind as in ntk_output_loss."""

    def ntk(self, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], x1: Annotated[NDArray, dict(device='cpu', writable=False)], x2: Annotated[NDArray, dict(device='cpu', writable=False)] | None, outputs: Sequence[int], kept: int, diagonal: int, traced: int, seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
        """Empirical NTK, (n1 n2) x (kept kept diagonal); see ntk_network_ntk."""

    def gradient_gram(self, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], x1: Annotated[NDArray, dict(device='cpu', writable=False)], combination1: Annotated[NDArray, dict(device='cpu', writable=False)], x2: Annotated[NDArray, dict(device='cpu', writable=False)] | None, combination2: Annotated[NDArray, dict(device='cpu', writable=False)] | None, seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
        """
        Products of the gradients of one combination of outputs per input, n1 x n2.
        """

class Training:
    """How a network is trained: optimiser, schedule, loss, batches."""

    def __init__(self, *, kind: int, learning_rate: float, momentum: float, is_nesterov: bool, b1: float, b2: float, epsilon: float, weight_decay: float, shape: int, warmup: int, cosine_steps: int, cosine_final: float, boundaries: Sequence[int], factors: Sequence[float], time: float, tolerance: float, loss: int, is_linearised: bool, batch_size: int, key: tuple[int, int], threshold: float) -> None:
        """As in ntk_training."""

def network_train(network: Network, training: Training, x: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], steps: int, parameters: Annotated[NDArray, dict(device='cpu')], start: Annotated[NDArray, dict(device='cpu', writable=False)], moments: Annotated[NDArray, dict(device='cpu')], gradient: Annotated[NDArray, dict(device='cpu')], state: Annotated[NDArray, dict(device='cpu')], record: Annotated[NDArray, dict(device='cpu')], done: Annotated[NDArray, dict(device='cpu')], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> None:
    """
    Takes steps in the given arrays. state: step, time, next step, scale. record: rows of loss, learning rate, time and, where there are
    four, norm of the gradient, of at least steps + 1 columns. done: steps, entries of the record, outcome (0 finished, 1 threshold,
    2 diverged), and the first loss of the whole run, read too where the run goes on (NaN: it begins). All are right also where the call is
    interrupted.
    """

def network_evaluate(network: Network, training: Training, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], start: Annotated[NDArray, dict(device='cpu', writable=False)], x: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """(loss, share of right answers) of the trained model."""

def training_batch(key: tuple[int, int], count: int, batch_size: int, step: int) -> list[int]:
    """Numbers of the inputs that a step sees."""

def autoencoder_train(x: Annotated[NDArray, dict(device='cpu', writable=False)], encoder: Annotated[NDArray, dict(device='cpu')], decoder: Annotated[NDArray, dict(device='cpu')] | None, scale: float, trains_decoder: bool, is_flow: bool, rate: float, tolerance: float, steps: int, record: Annotated[NDArray, dict(device='cpu')], done: Annotated[NDArray, dict(device='cpu')], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> None:
    """
    Trains encoder and decoder (None: tied weights) in place. record, done: as of network_train; the loss at the end too.
    """

def autoencoder_outputs(x: Annotated[NDArray, dict(device='cpu', writable=False)], encoder: Annotated[NDArray, dict(device='cpu', writable=False)], decoder: Annotated[NDArray, dict(device='cpu', writable=False)] | None, scale: float, outputs: bool, hidden: bool, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """(outputs (n, d), hidden activations (n, m)), or None where not wanted."""

def autoencoder_kernel(x: Annotated[NDArray, dict(device='cpu', writable=False)], encoder: Annotated[NDArray, dict(device='cpu', writable=False)], decoder: Annotated[NDArray, dict(device='cpu', writable=False)] | None, scale: float, layers: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """
    Tangent kernel of the outputs, shape (n d, n d); layers: 1 encoder, 2 decoder, 3 both.
    """

def autoencoder_limits(x: Annotated[NDArray, dict(device='cpu', writable=False)], y: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    (<x, y> P(w x > 0, w y > 0), E[relu(w x) relu(w y)]) for Gaussian w, each of shape (n1, n2).
    """

def autoencoder_tied_limit(x: Annotated[NDArray, dict(device='cpu', writable=False)], y: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """Kernel per neuron of infinitely many tied neurons, shape (n1 d, n2 d)."""

def autoencoder_movement(x: Annotated[NDArray, dict(device='cpu', writable=False)], encoder: Annotated[NDArray, dict(device='cpu', writable=False)], decoder: Annotated[NDArray, dict(device='cpu', writable=False)] | None, start_encoder: Annotated[NDArray, dict(device='cpu', writable=False)], start_decoder: Annotated[NDArray, dict(device='cpu', writable=False)] | None, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    (relative movement of the encoder, of the decoder, largest movement of a neuron, share of flipped activations).
    """

def predicted_loss(values: Annotated[NDArray, dict(device='cpu', writable=False)], vectors: Annotated[NDArray, dict(device='cpu', writable=False)], residual: Annotated[NDArray, dict(device='cpu', writable=False)], spread: Annotated[NDArray, dict(device='cpu', writable=False)] | None, rate: float, is_flow: bool, steps: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """
    Losses 0.5 sum R_k^2 of k = 0..steps under a constant kernel, by its eigendecomposition.
    """

def cholesky(a: object, ridge: float = 0.0, relative: bool = True, largest_jitter: float = 1e-06, overwrite: bool = False, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    Cholesky factor of a + ridge I (float32 or float64 in, float64 out): (factor, ridge in absolute units, jitter, log determinant,
    reciprocal condition number).
    overwrite: the factor takes the place of a, which must be symmetric, float64 and C-contiguous.
    """

def symmetry_fault(a: Annotated[NDArray, dict(device='cpu', writable=False)], tolerance: float, is_kernel: bool, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> object:
    """
    The first fault of a matrix that should be symmetric (and, a kernel, not indefinite) to a relative tolerance: (row, column, negative
    eigenvalue of their block, or None where the two elements differ); None where there is none.
    """

def solve(factor: Annotated[NDArray, dict(device='cpu', writable=False)], b: Annotated[NDArray, dict(device='cpu', writable=False)], system: int = 0, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """
    Solution with a Cholesky factor L: system 0 is L L^T x = b, 1 is L x = b, 2 is L^T x = b.
    """

def multiply(a: Annotated[NDArray, dict(device='cpu', writable=False)], b: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """Matrix product, both float64 or both float32."""

def eigh(a: Annotated[NDArray, dict(device='cpu', writable=False)], ridge: float = 0.0, relative: bool = True, vectors: bool = True, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    Eigenvalues of a + ridge I, ascending, and eigenvectors as rows (or None): (values, vectors), float64.
    """

def largest_eigenvalue(a: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> float:
    """
    Largest eigenvalue of a symmetric matrix, to a relative error of 1e-10.
    """

def posterior_covariance(factor: Annotated[NDArray, dict(device='cpu', writable=False)], k_test_train: Annotated[NDArray, dict(device='cpu', writable=False)], k_test_test: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """
    Posterior covariance of a Gaussian process from the Cholesky factor of its train-train kernel; with k_test_test of shape (m, 1),
    the prior variances, the posterior variances of shape (m, 1).
    """

def ensemble_covariance(factor: Annotated[NDArray, dict(device='cpu', writable=False)], ntk_test_train: Annotated[NDArray, dict(device='cpu', writable=False)], nngp_train_train: Annotated[NDArray, dict(device='cpu', writable=False)], nngp_test_train: Annotated[NDArray, dict(device='cpu', writable=False)], nngp_test_test: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """
    Covariance of infinitely many networks trained to convergence, from the Cholesky factor of the NTK.
    """

def log_marginal_likelihood(factor: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], solution: Annotated[NDArray, dict(device='cpu', writable=False)], sensitivity: bool = False, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    (log marginal likelihood, matrix whose inner product with dK is its derivative, or None); solution = K^-1 targets.
    """

def inner_product(a: Annotated[NDArray, dict(device='cpu', writable=False)], b: Annotated[NDArray, dict(device='cpu', writable=False)]) -> float:
    """Sum of the products of corresponding elements."""

def sample_posterior(mean: Annotated[NDArray, dict(device='cpu', writable=False)], covariance: Annotated[NDArray, dict(device='cpu', writable=False)], key: tuple[int, int], samples: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    (draws, jitter): draws of shape (m, samples * c), column s * c + j = column j of mean (m, c) plus a draw from N(0, covariance).
    """

def gradient_flow(values: Annotated[NDArray, dict(device='cpu', writable=False)], vectors: Annotated[NDArray, dict(device='cpu', writable=False)], times: Annotated[NDArray, dict(device='cpu', writable=False)], size: float, residual: Annotated[NDArray, dict(device='cpu', writable=False)], train: bool, k_test_train: Annotated[NDArray, dict(device='cpu', writable=False)] | None, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    Changes of the (train, test) outputs, or None, during gradient flow on the mean squared error; columns run over times, then outputs.
    """

def flow_covariance(values: Annotated[NDArray, dict(device='cpu', writable=False)], vectors: Annotated[NDArray, dict(device='cpu', writable=False)], times: Annotated[NDArray, dict(device='cpu', writable=False)], size: float, is_ntk: bool, k_test_train: Annotated[NDArray, dict(device='cpu', writable=False)] | None, nngp_train_train: Annotated[NDArray, dict(device='cpu', writable=False)] | None, nngp_test_train: Annotated[NDArray, dict(device='cpu', writable=False)] | None, nngp_test_test: Annotated[NDArray, dict(device='cpu', writable=False)] | None, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """
    Covariance of an ensemble during gradient flow, shape (times * m, m); on the training points where nngp_test_test is None.
    """

def gradient_descent(loss: str, function: object | None, targets: Annotated[NDArray, dict(device='cpu', writable=False)] | None, classes: int, divisor: float, k_train_train: Annotated[NDArray, dict(device='cpu', writable=False)], start: Annotated[NDArray, dict(device='cpu', writable=False)], times: Annotated[NDArray, dict(device='cpu', writable=False)], damping: float | None, tolerance: float = 1e-09, most_steps: int = 100000, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """
    States of gradient descent in continuous time at ascending times, one row each: f, u (, q, p). loss: mse, cross_entropy, logistic, or
    gradient or value with a Python function of the outputs as a vector.
    """

class BottleneckRun:
    """
    One training run of an infinitely wide network with a bottleneck, in function space.
    """

    def __init__(self, outer: Architecture, start: dict, inner: Annotated[NDArray, dict(device='cpu', writable=False)], positions: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], learning_rate: float, compression: float, flow_tolerance: float, divergence: float, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> None:
        """
        outer with its start (a dict, see bottleneck.cpp), the inner NTK (N, n), z_0 (N, units), targets (n, outputs).
        """

    def descend(self, steps: int, interval: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> None:
        """Steps of gradient descent; every interval-th state is recorded."""

    def flow(self, times: Annotated[NDArray, dict(device='cpu', writable=False)], every_step: bool, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> None:
        """
        Gradient flow to ascending times, recorded there and, if every_step, after each step of the integrator.
        """

    def complete(self, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> None:
        """Adds f_0 to the recorded test values."""

    def read(self) -> dict[str, Any]:
        """The records and the state of the outer function as a dict of arrays."""

def outer_evaluate(outer: Architecture, start: dict, z: Annotated[NDArray, dict(device='cpu', writable=False)], anchors: Annotated[NDArray, dict(device='cpu', writable=False)], weights: Annotated[NDArray, dict(device='cpu', writable=False)], outputs: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    (values, gradients) of the outer function at positions z, from the arrays of a run.
    """

def input_gradient(network: Architecture, is_ntk: bool, z1: Annotated[NDArray, dict(device='cpu', writable=False)], z2: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    (kernel (n1, n2), gradient (n1, n2 d)) of a smooth fully connected network by the rows of z1.
    """

def linear_descend(inputs: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], units: int, scale: float, inner_depth: float, outer_depth: float, state: Annotated[NDArray, dict(device='cpu')], learning_rate: float, steps: int, divergence: float, record: Annotated[NDArray, dict(device='cpu')], done: Annotated[NDArray, dict(device='cpu')], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> None:
    """
    Gradient descent on a deep linear network with a bottleneck, whose state changes in place. record, done: as of network_train;
    the loss at the end too.
    """

def linear_flow(inputs: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], units: int, scale: float, inner_depth: float, outer_depth: float, state: Annotated[NDArray, dict(device='cpu', writable=False)], times: Annotated[NDArray, dict(device='cpu', writable=False)], tolerance: float, losses: Annotated[NDArray, dict(device='cpu')], states: Annotated[NDArray, dict(device='cpu')], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> None:
    """
    Gradient flow on a deep linear network with a bottleneck: writes the losses and states at ascending times, also where it is interrupted.
    """

def constant_kernel_descent(kernel: Annotated[NDArray, dict(device='cpu', writable=False)], residuals: Annotated[NDArray, dict(device='cpu', writable=False)], learning_rate: float, steps: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """
    Losses mean r^2 / 2 of gradient descent with a constant kernel, at every step.
    """

class SymmetricOperator:
    """A symmetric matrix that is known by what it does."""

    @staticmethod
    def product(function: object, dimension: int) -> SymmetricOperator:
        """A function x -> A x on float64 vectors."""

    @staticmethod
    def blocks(function: object, dimension: int, shift: float = 0.0, store: int = 0) -> SymmetricOperator:
        """
        A function (row, rows, column, columns) -> block of A; up to `store` bytes of blocks are kept.
        """

    @staticmethod
    def dense(matrix: Annotated[NDArray, dict(device='cpu', writable=False)]) -> SymmetricOperator:
        """A symmetric float64 matrix."""

    @staticmethod
    def kernel(architecture: Architecture, x: Annotated[NDArray, dict(device='cpu', writable=False)], ntk: bool, shift: float = 0.0, store: int = 0) -> SymmetricOperator:
        """The kernel of a network on the rows of x, computed by blocks."""

    @staticmethod
    def curvature(network: Network, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], kind: int, loss: int, x: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], seed: tuple[int, int] = (0, 0)) -> SymmetricOperator:
        """The Hessian (kind 0) or Gauss-Newton matrix (1) of a network's loss."""

    @staticmethod
    def covariance(vectors: Annotated[NDArray, dict(device='cpu', writable=False)], centred: bool = True) -> SymmetricOperator:
        """
        The covariance of the rows of a float64 matrix, or their uncentred second moments.
        """

    def shift_by(self, numbers: Annotated[NDArray, dict(device='cpu', writable=False)]) -> None:
        """Adds one column of numbers to the diagonal from now on."""

    @property
    def dimension(self) -> int:
        """Rows and columns."""

    @property
    def stored_bytes(self) -> int:
        """Bytes of the blocks that are kept."""

    def multiply(self, vectors: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
        """Products with the rows of a block of vectors, as rows."""

    def rows(self, indices: Sequence[int], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
        """Rows of the matrix."""

    def diagonal(self, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
        """Its diagonal."""

    def eigen(self, count: int, end: str = 'largest', tolerance: float = 1e-10, vectors: bool = False, refines_vectors: bool = False, finds_multiples: bool = False, subspace: int = 0, most_products: int = 0, seed: int = 0, start: Annotated[NDArray, dict(device='cpu', writable=False)] | None = None, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
        """
        Eigenvalues at one end: (values, residual norms, vectors as rows or None, number of products).
        """

    def trace(self, probes: int, seed: int = 0, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
        """Products v A v with random signs v, one per probe."""

    def density(self, probes: int, steps: int, seed: int = 0, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
        """(nodes, weights) of stochastic Lanczos quadrature, probes x steps."""

def solvers() -> list:
    """The table of solvers: (name, what it is), by their place."""

def automatic_solver(dimension: int, threads: int = 0, memory_limit: int = 0) -> int:
    """
    The place of the solver that suits an operator of `dimension` rows, by its size and the memory limit.
    """

def solve_operator(op: SymmetricOperator, b: Annotated[NDArray, dict(device='cpu', writable=False)], solver: int = -1, tolerance: float = 1e-08, most_iterations: int = 0, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    Solutions of A x = b for the rows of b, by the solver at a place of the table (-1: chosen by size and memory):
    (x as rows, relative residuals, status, the solver's place, iterations, jitter).
    """

def loss_gradient_covariance(network: Network, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], loss: int, x: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], batch: int, top: int = 5, count: int = 0, seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    Covariance of the gradients of mini-batches (batch 0: of single inputs): (`count` eigenvalues or all, largest uncentred, trace,
    uncentred trace, norm of the mean, its share in the top eigenvectors, mean ratio of norms).
    """

def gradient_covariance(gradients: Annotated[NDArray, dict(device='cpu', writable=False)], is_gram: bool, top: int = 5, count: int = 0, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    The same for rows of gradients (float32 or float64), or for their Gram matrix.
    """

def sample_curvatures(network: Network, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], loss: int, x: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], direction: Annotated[NDArray, dict(device='cpu', writable=False)], seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """Second derivative along a direction of the loss of each input."""

def step_to_raise(network: Network, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], loss: int, x: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], update: Annotated[NDArray, dict(device='cpu', writable=False)], factor: float, most: float, seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> float:
    """
    The smallest alpha with loss(parameters - alpha update) >= factor loss(parameters); infinity beyond `most`.
    """

def stability_factor(rate: float, batch: int, examples: int, mean: float, variance: float) -> float:
    """Growth of psi^2 in one step of SGD."""

def break_even_curvature(rate: float, batch: int, examples: int, alpha: float, psi: float) -> float:
    """The largest eigenvalue of the Hessian at the break-even point."""

def quadratic_form(weights: Annotated[NDArray, dict(device='cpu', writable=False)], outputs: Annotated[NDArray, dict(device='cpu', writable=False)] | None, tangents: Annotated[NDArray, dict(device='cpu', writable=False)] | None, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """The matrix of a two-layer network of squares."""

def quadratic_risk(task: tuple[Annotated[NDArray, dict(device='cpu', writable=False)], Annotated[NDArray, dict(device='cpu', writable=False)] | None, float], form: Annotated[NDArray, dict(device='cpu', writable=False)], offset: float, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple[float, float]:
    """The risk of a quadratic form, and that of the best constant."""

def quadratic_fit(task: tuple[Annotated[NDArray, dict(device='cpu', writable=False)], Annotated[NDArray, dict(device='cpu', writable=False)] | None, float], regime: int, weights: Annotated[NDArray, dict(device='cpu', writable=False)] | None, width: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    The best network of a regime (0 RF, 1 NT, 2 NN): weights (NN only), coefficients, offset, jitter.
    """

def lazy_limit(regime: int, spectrum: Annotated[NDArray, dict(device='cpu', writable=False)], rho: float) -> float:
    """
    The risk of a regime as d and N = rho d go to infinity, over that of the best constant.
    """

def mean_tangent_risk(spectrum: Annotated[NDArray, dict(device='cpu', writable=False)], width: int) -> float:
    """
    The mean risk of the NT regime at finite d and width, over that of the best constant.
    """

def two_layer_predict(activation: Architecture, weights: Annotated[NDArray, dict(device='cpu', writable=False)], outputs: Annotated[NDArray, dict(device='cpu', writable=False)], tangents: Annotated[NDArray, dict(device='cpu', writable=False)] | None, offset: float, x: Annotated[NDArray, dict(device='cpu', writable=False)], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """Outputs of a two-layer network."""

def two_layer_ridge(activation: Architecture, weights: Annotated[NDArray, dict(device='cpu', writable=False)], x: Annotated[NDArray, dict(device='cpu', writable=False)], y: Annotated[NDArray, dict(device='cpu', writable=False)], ridge: float, uses_outputs: bool, uses_tangents: bool, fits_offset: bool, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    Ridge regression on random and tangent features: outputs, tangents, offset, jitter.
    """

def two_layer_curvature(activation: Architecture, weights: Annotated[NDArray, dict(device='cpu', writable=False)], outputs: Annotated[NDArray, dict(device='cpu', writable=False)], tangents: Annotated[NDArray, dict(device='cpu', writable=False)] | None, x: Annotated[NDArray, dict(device='cpu', writable=False)], trains_weights: bool, trains_outputs: bool, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> float:
    """
    Largest eigenvalue of the Gram matrix of the gradients, over the number of inputs.
    """

def two_layer_sgd(activation: Architecture, weights: Annotated[NDArray, dict(device='cpu')], outputs: Annotated[NDArray, dict(device='cpu')], tangents: Annotated[NDArray, dict(device='cpu')] | None, offset: Annotated[NDArray, dict(device='cpu')], task: tuple[Annotated[NDArray, dict(device='cpu', writable=False)], Annotated[NDArray, dict(device='cpu', writable=False)] | None, float] | None, x: Annotated[NDArray, dict(device='cpu', writable=False)] | None, y: Annotated[NDArray, dict(device='cpu', writable=False)] | None, sizes: tuple[int, int, int, int], rates: tuple[float, float, float, float], shares_outputs: bool, schedule: Annotated[NDArray, dict(device='cpu', writable=False)], seed: int, record: Annotated[NDArray, dict(device='cpu')], done: Annotated[NDArray, dict(device='cpu')], threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> None:
    """
    Stochastic gradient descent in place. sizes: batch, first step, steps, steps to an entry of the record, whose loss is their mean;
    rates: weights, tangents, outputs, offset. record, done: as of network_train.
    """

def normal_strips(key: int, stream: int, first: int, strips: int) -> numpy.typing.NDArray:
    """Normal float32 numbers, 32 a strip, of a stream of Philox4x32-10."""

def philox32_raw(key: int, stream: int, first: int) -> list:
    """The 32 raw words of eight blocks of Philox4x32-10."""

def angle_rule(count: int) -> tuple:
    """
    Gauss-Legendre rule over the angle, 0 to pi: (angles, weights, cosines, sines, packed).
    """

def zonal_spectrum(values: Annotated[NDArray, dict(device='cpu', writable=False)], packed: Annotated[NDArray, dict(device='cpu', writable=False)], dimension: int, frequencies: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    Eigenvalues of a zonal kernel on S^(d-1) from its values at the nodes of `angle_rule`, and the norms of their terms.
    """

def legendre_polynomials(dimension: int, angles: Annotated[NDArray, dict(device='cpu', writable=False)], frequencies: int) -> numpy.typing.NDArray:
    """
    Legendre polynomials of dimension d at the cosines of angles: shape (frequencies, angles).
    """

def endpoint_expansion(values: Annotated[NDArray, dict(device='cpu', writable=False)], scales: Annotated[NDArray, dict(device='cpu', writable=False)]) -> tuple:
    """
    Taylor coefficients 0 to 3 at 0 of a function given at Chebyshev nodes of intervals [0, scale], and their errors.
    """

def frequency_energies(points: Annotated[NDArray, dict(device='cpu', writable=False)], values: Annotated[NDArray, dict(device='cpu', writable=False)], frequencies: int, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """
    Energies per frequency of a function on the sphere, from its values at random unit vectors.
    """

def learning_curve(eigenvalues: Annotated[NDArray, dict(device='cpu', writable=False)], multiplicities: Annotated[NDArray, dict(device='cpu', writable=False)], energies: Annotated[NDArray, dict(device='cpu', writable=False)], tail_trace: float, tail_energy: float, samples: Annotated[NDArray, dict(device='cpu', writable=False)], ridge: float, noise: float) -> tuple:
    """
    (effective ridges, errors, learnt shares) of kernel ridge regression, predicted from a spectrum for numbers of samples.
    """

def hierarchy_kernels(network: Network, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], x: Annotated[NDArray, dict(device='cpu', writable=False)], train: int, order: int, seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> list:
    """
    [K2, .., K_order] as (inputs * train^(r - 2)) x train matrices; see ntk_hierarchy_kernels.
    """

def hierarchy_kernel_derivative(network: Network, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], x: Annotated[NDArray, dict(device='cpu', writable=False)], direction: Annotated[NDArray, dict(device='cpu', writable=False)], seed: tuple[int, int] = (0, 0), threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> numpy.typing.NDArray:
    """Derivative of the NTK along a vector of parameters."""

def hierarchy_truncated(start: Annotated[NDArray, dict(device='cpu', writable=False)], targets: Annotated[NDArray, dict(device='cpu', writable=False)], kernels: Sequence[Annotated[NDArray, dict(device='cpu', writable=False)]], times: Annotated[NDArray, dict(device='cpu', writable=False)], tolerance: float, with_ntk: bool, threads: int = 0, memory_limit: int = 0, progress: object | None = None) -> tuple:
    """
    (outputs, NTK or None) of the truncated hierarchy, a row for each time.
    """
