"""The engine under PyTorch's own tools: compilers, transforms, autocast, threads and processes.

Key: T time, B batch, I input size, H hidden size.
"""

import copy
import gc
import io
import multiprocessing
import os
import pickle
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close
from torch.utils._pytree import tree_leaves

from elman.engine import Cell, State, explain_scan, scan, use_backend
from elman.errors import ShapeError
from elman.layers import LSTM, LSTMCell, PeepholeLSTMCell, Recurrent

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "drop-in": lambda: LSTM(3, 5),
    "custom": lambda: Recurrent(PeepholeLSTMCell, 3, 5, bidirectional=True),
}


class Leaky(Cell):
    """Has an attribute that is a constant of its kernels, and a draw at every step."""

    def __init__(self, alpha: float = 0.5) -> None:
        super().__init__(3, 4)
        self.alpha = alpha
        self.weight = nn.Parameter(torch.randn(4, 3))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        h = self.alpha * h + torch.tanh(nn.functional.dropout(x @ self.weight.T, 0.25, self.training))
        return h, (h,)


class Stopped(Cell):
    """No kernel can be made of it: it mixes the rows of the batch."""

    def __init__(self) -> None:
        super().__init__(3, 3)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = 0.5 * state[0] + x - x.mean(0)
        return h, (h,)


def everything(layer: nn.Module, x: Tensor, call: Callable[..., Any] | None = None, **options: Any) -> list[Tensor]:
    """Outputs, final states, and gradients of x and of all parameters."""
    x = x.detach().requires_grad_()
    outputs = tree_leaves((layer if call is None else call)(x, **options))
    loss = sum((each * torch.arange(1.0, each.numel() + 1).view_as(each).to(each).cos()).sum() for each in outputs)
    return [*outputs, *torch.autograd.grad(loss, [x, *layer.parameters()])]


def assert_same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    """Up to rounding: an order of sums may differ."""
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b, rtol=1e-5, atol=1e-5)


def assert_bits(ours: list[Tensor], theirs: list[Tensor]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a, b)


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest) -> nn.Module:
    return LAYERS[request.param]()


# torch.compile and torch.export


@pytest.fixture
def compilers(as_in_use: None) -> Any:
    """PyTorch's compilers, started anew; they look into nn.LSTM and its children only if told to."""
    import torch._dynamo

    torch._dynamo.reset()
    with torch._dynamo.config.patch(allow_rnn=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their own
        yield
    torch._dynamo.reset()


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiles_into_one_graph(layer: nn.Module, backend: str, compilers: None) -> None:
    compiled = torch.compile(layer, fullgraph=True, backend=backend)
    for time, batch in ((4, 2), (6, 3)):
        x = torch.randn(time, batch, 3)
        assert_same(everything(layer, x, compiled), everything(layer, x))
    if backend == "eager":
        return
    lengths, resets = torch.tensor([6, 0, 2]), torch.rand(6, 3) < 0.4
    options = {"lengths": lengths, "resets": resets}
    assert_same(everything(layer, x, compiled, **options), everything(layer, x, **options))
    with pytest.raises(ShapeError, match="0 to 6"):
        compiled(x, lengths=torch.tensor([7, 0, 2]))
    with torch.no_grad():
        assert_same(tree_leaves(compiled(x)), tree_leaves(layer(x)))


def test_a_model_with_a_drop_in_compiles_around_it(compilers: None) -> None:
    model = nn.Sequential(nn.Linear(3, 3), LSTM(3, 5))
    compiled = torch.compile(model, backend="eager")
    x = torch.randn(4, 2, 3)
    with torch._dynamo.config.patch(allow_rnn=False):  # as users have it
        assert_same(everything(model, x, compiled), everything(model, x))


def test_a_graph_serves_every_length_and_batch(compilers: None) -> None:
    from torch._dynamo.testing import CompileCounter

    counter = CompileCounter()
    layer = Recurrent(LSTMCell, 3, 5)
    compiled = torch.compile(layer, fullgraph=True, backend=counter)
    for time, batch in ((2, 2), (3, 3), (5, 4), (9, 7)):
        compiled(torch.randn(time, batch, 3))
        Recurrent(LSTMCell, 3, time)(torch.randn(2, 2, 3))  # other programs come and go
    assert counter.frame_count == 2, "once, and once with any sizes"


def test_a_graph_sees_attributes_change(compilers: None) -> None:
    cell = Leaky()
    compiled = torch.compile(lambda x: scan(cell, x), fullgraph=True, backend="eager")
    x = torch.randn(5, 2, 3)
    for alpha, training in ((0.5, True), (0.9, True), (0.9, False)):
        cell.alpha = alpha
        cell.train(training)
        torch.manual_seed(1)
        ours = tree_leaves(compiled(x))
        torch.manual_seed(1)
        assert_same(ours, tree_leaves(scan(cell, x)))


@pytest.mark.filterwarnings("ignore::elman.engine.FallbackWarning")
def test_what_does_not_fuse_is_unrolled(compilers: None) -> None:
    for cell, backend in ((Stopped(), "llvm"), (Leaky().eval(), "eager")):
        compiled = torch.compile(lambda x, cell=cell: scan(cell, x), fullgraph=True, backend="eager")
        x = torch.randn(3, 2, 3)
        if backend == "eager":
            with use_backend("eager"):
                assert_same(tree_leaves(compiled(x)), tree_leaves(scan(cell, x)))
        else:
            assert_same(tree_leaves(compiled(x)), tree_leaves(scan(cell, x)))


@pytest.mark.parametrize("strict", [False, True])
def test_exports_for_every_length_and_batch(layer: nn.Module, strict: bool, compilers: None) -> None:
    x = torch.randn(4, 2, 3)
    sizes = ({0: torch.export.Dim("T"), 1: torch.export.Dim("B")},)
    program = torch.export.export(layer, (x,), dynamic_shapes=sizes, strict=strict)
    assert "elman.scan" in str(program.graph)
    x = torch.randn(7, 3, 3)
    for exported in (program, program.run_decompositions()):
        assert_same(tree_leaves(exported.module()(x)), tree_leaves(layer(x)))


def test_the_operation_keeps_its_promises() -> None:
    from elman.engine.backends.llvm.custom_op import _scan, call
    from elman.engine.dispatch import BACKENDS  # noqa: F401

    held: list[tuple[Any, ...]] = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.ops.elman.scan.default:
                held.append(args)
            return func(*args, **(kwargs or {}))

    assert call
    with torch._subclasses.FakeTensorMode(allow_non_fake_inputs=True), Watch():
        scan(LSTMCell(3, 5), torch.empty(4, 2, 3))
    key, tensors, *rest = held[0]
    real = [torch.randn(each.shape, requires_grad=True) for each in tensors]
    torch.library.opcheck(_scan, (key, real, *rest))


# torch.func


def test_functional_call_takes_other_parameters(layer: nn.Module) -> None:
    other = {name: torch.randn_like(each) for name, each in layer.named_parameters()}
    x = torch.randn(4, 2, 3)
    ours = torch.func.functional_call(layer, other, (x,))
    layer.load_state_dict(other)
    assert_same(tree_leaves(ours), tree_leaves(layer(x)))


@pytest.mark.filterwarnings("ignore::elman.engine.FallbackWarning")
def test_transforms_give_the_numbers_of_the_plain_loop() -> None:
    cell = PeepholeLSTMCell(3, 5)
    x = torch.randn(4, 2, 3)

    def loss(x: Tensor) -> Tensor:
        return scan(cell, x)[0].square().sum()

    expected = everything(cell, x, lambda x: loss(x))[1]
    assert_same([torch.func.grad(loss)(x)], [torch.autograd.grad(loss(x.requires_grad_()), x)[0]])
    assert len(expected) == 4
    many = torch.randn(3, 4, 2, 3)
    assert_same([*torch.func.vmap(lambda x: scan(cell, x)[0])(many)], [scan(cell, each)[0] for each in many])
    parameters = {name: each.detach() for name, each in cell.named_parameters()}

    def of_parameters(parameters: dict[str, Tensor]) -> Tensor:
        return scan(cell, x.detach(), parameters=parameters)[0].square().sum()

    ours = torch.func.grad(of_parameters)(parameters)
    theirs = torch.autograd.grad(loss(x.detach()), [*cell.parameters()])
    assert_same([*ours.values()], [*theirs])


# autograd


def test_autocast_computes_in_f32(layer: nn.Module) -> None:
    x = torch.randn(4, 2, 3).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        results = tree_leaves(layer(x))
    assert {each.dtype for each in results} == {torch.float32}
    assert_same(results, tree_leaves(layer(x.float())))
    with torch.autocast("cpu", torch.bfloat16):
        loss = sum(each.sum() for each in tree_leaves(layer(x)))
    assert all(each.dtype == torch.float32 for each in torch.autograd.grad(loss, [*layer.parameters()]))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients_nothing_is_kept(layer: nn.Module, mode: Any) -> None:
    x = torch.randn(4, 2, 3, requires_grad=True)
    with mode():
        results = tree_leaves(layer(x))
        assert_bits(tree_leaves(layer(x)), results)
    assert not any(each.requires_grad for each in results)
    assert_same(results, tree_leaves(layer(x)))


def test_tensors_of_inference_mode_come_in(layer: nn.Module) -> None:
    with torch.inference_mode():
        x = torch.randn(4, 2, 3)
        inside = tree_leaves(layer(x))
    assert_same([each.clone() for each in inside], tree_leaves(layer(x.clone())))


@pytest.mark.parametrize("make", [LSTMCell, PeepholeLSTMCell])
def test_gradients_of_gradients(make: Callable[[int, int], Cell]) -> None:
    cell = make(2, 3).double()
    x = torch.randn(3, 2, 2, dtype=torch.double, requires_grad=True)
    state = tuple(torch.randn(2, 3, dtype=torch.double, requires_grad=True) for _ in range(2))

    def results(x: Tensor, *rest: Tensor) -> State:
        y, after = scan(cell, x, rest[:2])
        return y, *after

    inputs = (x, *state, *cell.parameters())
    with use_backend("llvm"):
        assert gradcheck(results, inputs, fast_mode=True)
        assert gradgradcheck(results, inputs, fast_mode=True)


@pytest.mark.parametrize("wanted", ["x", "state 0", "state 1", "weight_hh", "nothing"])
def test_only_what_wants_gradients_has_them(wanted: str) -> None:
    cell = PeepholeLSTMCell(3, 5).requires_grad_(False)
    inputs = {"x": torch.randn(4, 2, 3), "state 0": torch.randn(2, 5), "state 1": torch.randn(2, 5)}
    inputs |= dict(cell.named_parameters())
    chosen = [inputs[wanted].requires_grad_()] if wanted != "nothing" else []
    gradients = []
    for backend in ("llvm", "eager"):
        with use_backend(backend):
            y, _ = scan(cell, inputs["x"], (inputs["state 0"], inputs["state 1"]))
        assert y.requires_grad == bool(chosen)
        gradients.append(list(torch.autograd.grad(y.square().sum(), chosen)) if chosen else [])
    assert_same(*gradients)


def test_a_graph_can_be_walked_twice_if_it_is_retained(layer: nn.Module) -> None:
    x = torch.randn(4, 2, 3, requires_grad=True)
    loss = layer(x)[0].square().sum()
    first = torch.autograd.grad(loss, [x, *layer.parameters()], retain_graph=True)
    assert_bits([*torch.autograd.grad(loss, [x, *layer.parameters()])], [*first])
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


@pytest.mark.parametrize("changed", ["x", "weight", "output"])
def test_a_change_in_place_is_pytorchs_error(changed: str, layer: nn.Module) -> None:
    leaf = torch.randn(4, 2, 3, requires_grad=True)
    x = leaf * 1
    y, _ = layer(x)
    with torch.no_grad():
        {"x": x, "weight": next(layer.parameters()), "output": y}[changed].add_(1)
    if changed == "output" and isinstance(layer, Recurrent):
        y.sum().backward()  # both directions were put side by side, in a tensor of their own
    else:
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


# the same bits


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_bits_again_and_with_any_number_of_threads(threads: int) -> None:
    layer = LSTM(24, 40)
    x = torch.randn(9, 7, 24)
    once = everything(layer, x, lengths=torch.tensor([9, 2, 5, 0, 9, 1, 7]))
    torch.set_num_threads(threads)
    for _ in range(3):
        assert_bits(everything(layer, x, lengths=torch.tensor([9, 2, 5, 0, 9, 1, 7])), once)


@pytest.mark.parametrize("make", [LSTMCell, PeepholeLSTMCell])
@pytest.mark.parametrize("learning", [False, True])
def test_neighbours_and_cuts_change_no_bit(make: Callable[[int, int], Cell], learning: bool) -> None:
    cell = make(3, 21)
    x = torch.randn(11, 9, 3)
    with torch.set_grad_enabled(learning):
        y, state = scan(cell, x)
        for rows in ([4], [8, 1], [0, 2, 4, 5, 6, 8]):
            alone, after = scan(cell, x[:, rows])
            assert_bits([alone, *after], [y[:, rows], *(each[rows] for each in state)])
        for cut in (1, 5, 10):
            first, between = scan(cell, x[:cut])
            second, after = scan(cell, x[cut:], between)
            assert_bits([torch.cat([first, second]), *after], [y, *state])
        full, after = scan(cell, x, lengths=torch.full((9,), 11))
        assert_bits([full, *after], [y, *state])
        short, after = scan(cell, x, lengths=torch.tensor([3, 11, 0, 1, 2, 11, 5, 8, 7]))
        assert_bits([short[:3, 0], short[:, 1], after[0][0]], [y[:3, 0], y[:, 1], y[2, 0]])


# threads, processes, copies


def test_threads_share_a_layer(layer: nn.Module) -> None:
    inputs = [torch.randn(5, 1 + number % 3, 3) for number in range(24)]
    expected = [everything(layer, x) for x in inputs]
    fresh = copy.deepcopy(layer)
    with ThreadPoolExecutor(4) as pool:
        for ours, theirs in zip(pool.map(lambda x: everything(fresh, x), inputs), expected, strict=True):
            assert_same(ours, theirs)


def _answer(layer: nn.Module, x: Tensor, path: str) -> None:
    torch.save([each.detach() for each in everything(layer, x)], path)


def _ran(process: Any) -> None:
    process.join(30)
    if process.exitcode is None:
        process.kill()
    assert process.exitcode == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*fork.*:RuntimeWarning")  # of JAX, where another test has loaded it
@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_another_process_gives_the_same_numbers(way: str, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    layer = Recurrent(PeepholeLSTMCell, 24, 100)  # so large that PyTorch fills its gradients with threads, too
    x = torch.randn(9, 7, 24)
    expected = everything(layer, x)
    process = multiprocessing.get_context(way).Process(target=_answer, args=(layer, x, str(tmp_path / "answer")))
    process.start()
    _ran(process)
    assert_bits(torch.load(tmp_path / "answer"), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*fork.*:RuntimeWarning")  # of JAX, where another test has loaded it
def test_a_forked_child_can_compile_and_run() -> None:
    torch.set_num_threads(2)
    scan(LSTMCell(24, 40), torch.randn(9, 7, 24))
    child = os.fork()
    if not child:
        y, _ = scan(LSTMCell(24, 43), torch.randn(9, 7, 24))
        os._exit(0 if y.isfinite().all() else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("used", [False, True])
def test_copies_and_files_of_layers(layer: nn.Module, used: bool) -> None:
    x = torch.randn(4, 2, 3)
    if used:
        everything(layer, x)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    copies = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), torch.load(file, weights_only=False)]
    for other in copies:
        assert_bits(everything(other, x), everything(layer, x))
    with torch.no_grad():
        next(copies[0].parameters()).add_(1)
    assert not torch.equal(copies[0](x)[0], layer(x)[0])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's account of memory")
def test_memory_does_not_grow() -> None:
    layer = Recurrent(PeepholeLSTMCell, 8, 16)
    lengths = torch.Generator().manual_seed(0)

    def calls(count: int) -> None:
        for number in range(count):
            time, batch = 1 + number % 37, 1 + number % 11
            own = torch.randint(0, time + 1, (batch,), generator=lengths) if number % 2 else None
            y, _ = layer(torch.randn(time, batch, 8), lengths=own)
            if number % 3 == 0:
                y.sum().backward()

    def pages() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1])

    calls(450)
    before = pages()
    calls(900)
    grown = (pages() - before) * os.sysconf("SC_PAGE_SIZE") / 900
    assert grown < 1500, f"{grown:.0f} bytes a call"  # a leaked table of rows alone would be thousands


# two processes, one gradient


def _worker(rank: int, folder: str, x: Tensor) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    torch.manual_seed(0)
    layer = nn.parallel.DistributedDataParallel(Recurrent(PeepholeLSTMCell, 3, 5))
    layer(x[:, rank::2])[0].square().mean().backward()
    if rank == 0:
        torch.save([each.grad for each in layer.parameters()], f"{folder}/gradients")
    torch.distributed.barrier()
    os._exit(0)  # gloo's threads may outlive an orderly end, and abort it


def test_two_processes_give_the_gradients_of_one(tmp_path: Path) -> None:
    x = torch.randn(6, 4, 3)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_worker, args=(rank, str(tmp_path), x)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        _ran(worker)
    torch.manual_seed(0)
    layer = Recurrent(PeepholeLSTMCell, 3, 5)
    layer(x)[0].square().mean().backward()
    for ours, one in zip(torch.load(tmp_path / "gradients"), layer.parameters(), strict=True):
        assert_close(ours, one.grad, rtol=1e-6, atol=1e-6)


def test_it_is_the_kernels_that_were_tested() -> None:
    for cell in (LSTMCell(3, 5), PeepholeLSTMCell(3, 5), Leaky()):
        assert explain_scan(cell).backend == "llvm"
