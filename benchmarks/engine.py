"""The engine and its peers, in turn and in one run: python benchmarks/engine.py

    --quick          three shapes and few rounds, in some minutes
    --only lstm,step parts by name: lstm gru rnn peephole-lstm layer-norm-lstm gated zoneout-lstm ligru slstm
                     step compile memory first_call tinyshakespeare
    --without compile   parts to leave out of a full run; the result names them
    --again lstm     parts to measure once more; the others stay as they are in the result, which says so
    --peers          the peers alone, with their GFLOP/s
    --threads 2      of every contestant

A number is taken only after the same kernel was right, at small odd sizes and at the measured ones (`engine/check.py`);
what is wrong is not reported, and the run fails at its end. A full run writes `results/engine.json` and the picture of
the README; it wants the machine for itself.

Key: T time, B batch, I input size, H hidden size; I = H.
"""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from importlib.metadata import version
from importlib.util import find_spec
from time import perf_counter

import torch
from engine.contests import OWN_LSTM
from engine.findings import METRICS, Findings, disturbed
from engine.parts import PARTS, Options, peers_alone
from engine.peak import peak
from engine.picture import draw
from engine.report import print_peers, print_report
from engine.shapes import QUICK_SHAPES, SHAPES
from engine.timing import QUICK_PACE, Pace
from results import ROOT, hardware, write_result
from rich.console import Console

PICTURE = ROOT / "docs" / "pictures" / "engine.png"
PEERS = ("onnxruntime", "onnx", "jax", "jaxlib", "llvmlite")


def main() -> None:
    """Measure part by part, print, write."""
    start = perf_counter()
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    shapes, pace = (QUICK_SHAPES, QUICK_PACE) if arguments.quick else (SHAPES, Pace())
    options = Options(shapes, pace, arguments.threads, arguments.quick)
    console = Console(width=None if sys.stdout.isatty() else 140)
    if arguments.peers:
        print_peers(peers_alone(arguments.only, options), console)
        print(f"FMA peak {peak(options.threads) / 1e9:.1f} GFLOP/s")
        return
    found = _before(arguments.again) if arguments.again else Findings()
    whole = bool(arguments.again) or (
        not arguments.quick and set(arguments.only) | set(arguments.without) == set(PARTS)
    )
    done = [name for name in PARTS if arguments.again and name not in arguments.again]
    for name in arguments.only:
        with found.guarded(name, "", "as a whole"):
            PARTS[name](found, options)
        done.append(name)
        if whole:
            _keep(found, done, options, perf_counter() - start)
    found.add_shares()
    print_report(found, console)
    if whole:
        _keep(found, done, options, perf_counter() - start)
        draw(found.rows, hardware(), PICTURE)
    else:
        print("not written: only a full run is kept")
    if found.wrong:
        sys.exit(f"{len(found.wrong)} numbers are not reported, because something was wrong")


def _before(again: list[str]) -> Findings:
    """What a former run has found of the parts that are not measured again."""
    path = ROOT / "benchmarks" / "results" / "engine.json"
    result = json.loads(path.read_text())
    rows = [row for row in result["rows"] if row["mode"] in ("step", "compile") or row["cell"] not in again]
    others = {key: value for key, value in result["metrics"].items() if key not in METRICS and value is not None}
    found = Findings(rows, others)
    found.notes.append(f"measured at {result['commit'][:8]}: all but {', '.join(again)}")
    return found


def _keep(found: Findings, done: list[str], options: Options, seconds: float) -> None:
    """Write what there is so far, so that a run that is stopped has not been for nothing."""
    missing = [name for name in PARTS if name not in done]
    note = _note(found, options) + (f". Not measured: {', '.join(missing)}" if missing else "")
    write_result("engine", found.metrics(), seconds, found.rows, note)


def _arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three shapes and few rounds")
    parser.add_argument("--only", type=_names, default=list(PARTS), help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--peers", action="store_true", help="the peers alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without", type=_names, default=[], help="parts to leave out of a full run")
    parser.add_argument("--again", type=_names, default=[], help="parts to measure once more")
    arguments = parser.parse_args()
    arguments.only = arguments.again or arguments.only
    arguments.only = [name for name in arguments.only if name not in arguments.without]
    return arguments


def _names(words: str) -> list[str]:
    unknown = set(words.split(",")) - set(PARTS)
    if unknown:
        raise ArgumentTypeError(f"{', '.join(unknown)}; expected some of: {', '.join(PARTS)}")
    return [name for name in PARTS if name in words.split(",")]


def _note(found: Findings, options: Options) -> str:
    """What a reader must know of the numbers."""
    peers = ", ".join(f"{name} {version(name) if find_spec(name) else 'is missing'}" for name in PEERS)
    about = (
        f"{options.threads} threads for every contestant (jax and ONNX Runtime have pools of their own), f32; ratio is "
        "the median over rounds of the peer's time by Elman's, ratio_low and ratio_high hold the middle half; against "
        f"{OWN_LSTM} it is taken at equal floating-point work; weights count as changed at every call, so "
        f"packing is counted, but for modes ..._kept; FMA peak {max(found.peaks, default=0) / 1e9:.1f} GFLOP/s; {peers}"
    )
    return ". ".join(
        [about, *found.notes, *disturbed(found), *(f"WRONG, not reported: {each}" for each in found.wrong)]
    )


if __name__ == "__main__":
    main()
