"""Checkpoints without pickle: what goes in comes out."""

import json

import pytest
import torch

from elman.errors import RunError
from elman.training.checkpoint import SafetensorsIO, pack, read_checkpoint, unpack

SHARED = torch.arange(12.0)
TREE = {
    "numbers": [1, 2.5, True, False, None, "text", 10**12, float("inf")],
    "by number": {0: {"step": torch.tensor(3.0)}, 1: {}},
    "tuples": ((1, (2, torch.ones(2))), ()),
    "shared": [SHARED, SHARED[3:7], SHARED.view(3, 4).T, SHARED],
    "kinds": [torch.tensor(True), torch.zeros(0, 3), torch.tensor([1, 2], dtype=torch.uint8), torch.ones(1).double()],
    "names that are used inside": {"tensor": 1, "dict": 2, "tuple": {"tensor": "0"}},
}


def same(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(*pair) for pair in zip(a, b, strict=True))
    return a == b


def test_what_goes_in_comes_out(tmp_path):
    tensors: dict[str, torch.Tensor] = {}
    assert same(unpack(json.loads(json.dumps(pack(TREE, tensors))), tensors), TREE)
    path = tmp_path / "deep" / "a.safetensors"
    SafetensorsIO().save_checkpoint(TREE, path)
    assert same(read_checkpoint(path), TREE)
    assert same(SafetensorsIO().load_checkpoint(path), TREE)
    SafetensorsIO().remove_checkpoint(path)
    SafetensorsIO().remove_checkpoint(path)
    assert not path.exists()


def test_code_is_refused(tmp_path):
    with pytest.raises(RunError, match="a checkpoint can hold numbers, text and tensors; received function"):
        SafetensorsIO().save_checkpoint({"a": same}, tmp_path / "a")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [None, b"", b"x" * 99])
def test_what_is_no_checkpoint_is_refused(content, tmp_path):
    if content is not None:
        (tmp_path / "a").write_bytes(content)
    with pytest.raises(RunError, match=r"is damaged or foreign: .*; remove it to start over"):
        read_checkpoint(tmp_path / "a")
