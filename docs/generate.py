"""Fill the generated parts of both READMEs and of docs: results from benchmarks/results, file map from docstrings.

    python docs/generate.py           writes
    python docs/generate.py --check   says what would change, and fails if anything would

A part stands between <!-- results --> and <!-- /results -->, or <!-- files --> and <!-- /files -->, or
<!-- networks --> and <!-- /networks -->.
"""

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "docs" / "translate.md"]
FOLDERS = ("engine", "layers", "data", "pictures", "models", "tasks", "training", "interfaces")

GOALS = [
    # file, key, what, goal
    ("parity", "f64_max", "drop-ins against torch.nn, 240 option sets, f64: largest relative difference", "<= 1e-10"),
    ("parity", "f32_ratio_max", "the same in f32: distance from f64, as a multiple of torch's own", "<= 2"),
    (
        "tinyshakespeare",
        "valid_nats_per_char",
        "tiny Shakespeare, nats per character, goal within 40 minutes",
        "<= 1.55",
    ),
    ("ptb_small", "test_perplexity", "Penn Treebank, words, 2 x 200, 13 epochs: test perplexity", "<= 115.9"),
    ("demo", "seconds", "`make demo` after set-up, seconds", "<= 180"),
    ("demo", "valid_exact", "numbers and dates that it spells out without a mistake in seven languages, share", ""),
    (
        "engine",
        "lstm_forward_vs_torch",
        "LSTM forward, times as fast as torch.nn, geometric mean of 9 shapes",
        ">= 1.2",
    ),
    ("engine", "lstm_forward_vs_torch_min", "the same, the least of them", ">= 0.97"),
    (
        "engine",
        "lstm_forward_vs_onnxruntime",
        "LSTM forward, against ONNX Runtime, which packs weights once",
        ">= 1.15",
    ),
    ("engine", "lstm_train_vs_torch", "LSTM forward and backward, against torch.nn", ">= 1.2"),
    ("engine", "lstm_train_vs_torch_min", "the same, the least", ">= 0.95"),
    ("engine", "gru_train_vs_torch", "GRU forward and backward, against torch.nn", ">= 2.5"),
    ("engine", "rnn_train_vs_torch", "Elman RNN forward and backward, against torch.nn", ">= 2.5"),
    ("engine", "gru_rnn_train_vs_torch_min", "GRU and RNN, the least", ">= 1.05"),
    ("engine", "lengths_forward_vs_packed", "sequences of unequal length, forward, against packed ones", ">= 2"),
    ("engine", "lengths_train_vs_packed", "the same, forward and backward", ">= 4"),
    ("engine", "custom_train_vs_eager", "cells of one's own, training, against a loop over time", ">= 4"),
    ("engine", "custom_train_vs_eager_small", "the same where B <= 16 and H <= 256", ">= 8"),
    (
        "engine",
        "custom_train_vs_compile_min",
        "peephole LSTM, training, against torch.compile of the loop, least",
        ">= 1",
    ),
    ("engine", "custom_vs_own_lstm_min", "cells of one's own against Elman's LSTM at equal work, the least", ">= 0.75"),
    ("engine", "fma_share_forward", "LSTM forward, share of the processor's peak, large shapes, the least", ">= 0.85"),
    ("engine", "fma_share_train", "the same, forward and backward", ">= 0.7"),
    ("engine", "step_128_vs_onnxruntime", "one step of an LSTM of 128, times as fast as ONNX Runtime", ">= 3"),
    ("engine", "step_256_vs_onnxruntime", "of 256", ">= 2"),
    ("engine", "step_512_vs_onnxruntime", "of 512", ">= 1.3"),
    ("engine", "first_call_seconds", "first call of a process, compiling everything, seconds", "< 3"),
    ("engine", "next_structure_seconds", "a later call with another cell, seconds", "< 0.5"),
    ("engine", "cached_call_seconds", "first call of a process that finds its kernels on disk, seconds", "< 0.3"),
    ("engine", "memory_vs_torch", "memory of training at T=1000, against torch.nn", "<= 1"),
    ("engine", "tinyshakespeare_speedup", "characters a second in training, against the plain loop", ">= 2"),
    ("multi30k_en_de", "test_bleu", "Multi30k English-German, BLEU on test_2016_flickr within 45 minutes", ">= 37.5"),
    ("multi30k_en_fr", "test_bleu", "Multi30k English-French, the same", ""),
    ("tatoeba_en_zh", "test_bleu", "Tatoeba English-Chinese, BLEU", ""),
    ("tatoeba_en_zh", "nearest_bleu", "copying the target of the nearest training pair instead", ""),
    ("camrest676", "test_bleu", "CamRest676, BLEU of the guide's answers", ""),
    ("camrest676", "nearest_bleu", "copying the nearest training answer instead", ""),
    ("translate_speed", "train_vs_joeynmt", "training a translator, target tokens a second, against JoeyNMT", ">= 4"),
    ("translate_speed", "train_input_feeding_vs_joeynmt", "the same with input feeding", ">= 2"),
    ("translate_speed", "train_bf16_vs_joeynmt", "without it, Elman's products in bfloat16", ""),
    ("translate_speed", "beam_vs_joeynmt", "beam search of width 5, sentences a second, against JoeyNMT", ">= 5"),
    ("translate_speed", "beam_bf16_vs_joeynmt", "Elman's output layer in bfloat16", ""),
    ("toy_sequences", "copy_exact", "rows of 20 letters copied exactly, share", ">= 0.999"),
    ("toy_sequences", "reverse_exact", "rows of 20 letters turned round exactly, share", ">= 0.999"),
    ("sst2", "test_accuracy", "SST-2, whole sentences only, mean of 3 seeds: accuracy", ">= 0.80"),
    ("trec", "test_accuracy", "TREC, six kinds of questions: accuracy", ">= 0.89"),
    (
        "movie_reviews",
        "test_accuracy",
        "movie reviews of 800 words, mean of 5 seeds: accuracy",
        ">= 0.80",
    ),
    ("chnsenticorp", "test_accuracy", "Chinese hotel reviews, characters: accuracy", ">= 0.88"),
    ("mnist_rows", "test_accuracy", "MNIST row by row: accuracy", ">= 0.988"),
    ("mnist_pixels", "test_accuracy", "MNIST pixel by pixel, 784 steps: accuracy", ">= 0.97"),
    ("indoor_movement", "test_accuracy", "who changes rooms, from radio signals: accuracy", ">= 0.90"),
    ("fsdd_sequences", "test_wer", "three to seven spoken digits in a row: wrong words", "<= 0.03"),
    (
        "fsdd_streaming",
        "test_wer",
        "the same while one speaks, 240 ms of what is to come: wrong words",
        "<= 0.05",
    ),
    ("fsdd_streaming", "real_time_factor", "seconds of one core for a second of speech", "<= 0.02"),
    ("minis", "train_wer", "43 recordings learned by heart: wrong words", "<= 0"),
    ("fsdd_digits", "test_accuracy", "spoken digits: accuracy", ">= 0.98"),
    ("jsb_chorales", "test_nll", "Bach's chorales, quarters: nats per chord", "<= 8.45"),
    ("nottingham", "valid_share", "folk tunes in ABC: share of those written that are read as ABC", ">= 0.95"),
    ("mnist_generate", "test_nll", "MNIST pixel by pixel, two shades: nats per image", "<= 92"),
    ("conll2003", "test_f1", "CoNLL-2003 names, no pretrained vectors: F1", ">= 0.836"),
    ("msra_ner", "test_f1", "MSRA names, Chinese: F1", ">= 0.85"),
    ("propbank_ewt", "dev_f1", "PropBank roles, gold predicates, web texts: F1", ">= 0.65"),
    ("digit_scenes", "test_miou", "digits strewn over pictures, which is where: mean IoU", ">= 0.85"),
    (
        "moving_digits",
        "mse_ratio",
        "videos of moving digits, the next ten frames: MSE over that of copying",
        "<= 0.6",
    ),
    ("moving_digits", "events_auroc", "the same, frames that nobody could expect: AUROC", ""),
    ("tracking", "mean_iou", "a digit among noise and pieces of others, where it is: mean IoU", ">= 0.8"),
    ("serve", "sessions", "people who speak at once to an LSTM of 2 x 256, ten messages a second each", ">= 200"),
    ("serve", "sessions_one_by_one", "the same where sessions are not advanced together", ""),
    ("serve", "sessions_p99_ms", "99 of 100 messages of 200 people are answered within, ms", "<= 150"),
    ("serve", "requests_vs_plain", "answers a second to 64 clients, against plain FastAPI and torch.nn", ">= 2.5"),
    ("serve", "requests_p99_ms", "99 of 100 of these requests are answered within, ms", "<= 100"),
    ("serve", "first_token_ms", "from a request to the first piece of a text, ms", "<= 20"),
    ("serve", "idle_session_kb", "memory of an idle session, kB", "<= 50"),
    ("serve", "ready_seconds", "from the start of a server until it is ready, seconds", "<= 5"),
    ("serve", "lost_requests", "requests, sessions and bits lost in 10 minutes of load with a restart", "0"),
    ("serve", "malformed_500s", "errors of the server in 10,000 requests that make no sense", "0"),
    ("digit_events", "test_accuracy", "videos of a moving digit, which event happens, if any: accuracy", ""),
    ("wnut17", "dev_f1", "WNUT-17, new names in noisy texts: F1", ""),
    ("wnut17", "dev_phrase_book_f1", "a list of the names of its training texts instead", ""),
    ("weibo_ner", "dev_f1", "Weibo names, Chinese: F1", ""),
    ("weibo_ner", "dev_phrase_book_f1", "a list of the names of its training texts instead", ""),
    ("etth1_96", "test_mse", "ETTh1, 96 hours from 96: squared error", "<= 0.385"),
    ("m4_hourly", "owa", "M4 Hourly: OWA (seasonal naive: 0.6275)", "<= 0.55"),
    (
        "small_series",
        "better_than_seasonal_naive",
        "eleven classic series: share with a smaller MASE than the seasonal naive forecast",
        ">= 0.9",
    ),
    ("small_series", "within_5_points_80", "the same: share whose intervals of 80% cover within 5 points", ""),
    ("small_series", "within_5_points_95", "the same of 95%", ""),
    ("beijing_pm25", "mase", "Beijing fine dust, a day ahead: MASE", ""),
    ("beijing_pm25", "seasonal_naive_mase", "the seasonal naive forecast instead", ""),
    ("tracks", "scenes_better", "where people walk: places of 4 with ADE and FDE below constant velocity", ">= 3"),
    ("forecast_speed", "vs_neuralforecast", "training a forecaster, LSTM 2 x 128, against NeuralForecast", ">= 2"),
    (
        "classify_speed",
        "vs_keras",
        "training a text classifier, against Keras 3 on JAX, the least of two sizes",
        ">= 2",
    ),
    (
        "page",
        "first_paint_ms",
        "the page: a heat map of 1,000 steps x 512 units, milliseconds until it is seen",
        "<= 1000",
    ),
    ("page", "pointing_ms", "the same: milliseconds until it follows the pointer", "<= 50"),
    ("overhead", "share", "share of a training step outside model and optimiser (batch 32, T=100, H=256)", "<= 0.10"),
]


def results_table() -> str:
    """What was measured, beside its goal and the command that makes it."""
    lines = ["| what | goal | measured | date | command |", "|---|---|---|---|---|"]
    found = results()
    for name, key, what, goal in GOALS:
        if name in found and found[name]["metrics"].get(key) is not None:
            result = found[name]
            value = f"{result['metrics'][key]:.4g}"
            lines.append(f"| {what} | {goal} | **{value}** | {result['date']} | `{result['command']}` |")
    return "\n".join([*lines, "", *long_lags_table(found), *notes(found), hardware(found)])


def results() -> dict[str, Any]:
    """All results by name."""
    paths = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
    return {path.stem: json.loads(path.read_text()) for path in paths}


def notes(found: dict[str, Any]) -> list[str]:
    """What a reader must know of some results."""
    lines = [f"- `{name}`: {result['note']}" for name, result in found.items() if "note" in result]
    return [*lines, ""] if lines else []


def long_lags_table(found: dict[str, Any]) -> list[str]:
    """The longest lag that each network solved."""
    result = found.get("long_lags")
    if result is None:
        return []
    networks = list(dict.fromkeys(row["network"] for row in result["rows"]))
    lines = [f"| longest lag solved (of 20 to 1,000; `{result['command']}`) | {' | '.join(networks)} |"]
    lines.append("|---" * (len(networks) + 1) + "|")
    for task in dict.fromkeys(row["task"] for row in result["rows"]):
        lags = [str(result["metrics"].get(f"{task}_{network}") or "none") for network in networks]
        lines.append(f"| {task} | {' | '.join(lags)} |")
    return [*lines, ""]


def networks_table() -> str:
    """What translators of one size and recipe cost, and how good they are."""
    result = results()["translate_networks"]
    lines = ["| network | parameters | minutes | BLEU | ms a unit | kB after 10 units | after 100 |", "|---" * 7 + "|"]
    for row in result["rows"]:
        minutes, sizes = row["training seconds"] / 60, [row[f"bytes after {count}"] / 1000 for count in (10, 100)]
        cells = [row["network"], f"{row['parameters']:,}", f"{minutes:.0f}", f"{row['test_bleu']:.1f}"]
        cells += [f"{row['ms a unit']:.1f}", *(f"{size:.1f}" for size in sizes)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(
        [*lines, "", f"`{result['command']}`, {result['date']}; {result.get('note', hardware(results()))}."]
    )


def hardware(found: dict[str, Any]) -> str:
    """The machine of the newest result."""
    if not found:
        return ""
    newest = max(found.values(), key=lambda result: result["date"])
    return f"{newest['hardware']}; torch {newest['versions']['torch']}."


def file_map() -> str:
    """One phrase for each file: the first sentence of its docstring."""
    lines = []
    for path in [ROOT / "src/elman/__init__.py", ROOT / "src/elman/errors.py"]:
        lines.append(f"- `{path.name}`: {phrase(path)}")
    for folder in FOLDERS:
        root = ROOT / "src/elman" / folder
        lines.append(f"- **`{folder}/`**: {phrase(root / '__init__.py')}")
        for path in sorted(root.rglob("*.py"), key=lambda path: (len(path.parts), path)):
            if path.name != "__init__.py":
                lines.append(f"  - `{path.relative_to(root)}`: {phrase(path)}")
    return "\n".join(lines)


def phrase(path: Path) -> str:
    """The first paragraph of a file's docstring, on one line."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def filled(text: str) -> str:
    """A page with its generated parts made anew."""
    for part, content in (("results", results_table()), ("files", file_map()), ("networks", networks_table())):
        pattern = rf"(<!-- {part} -->).*?(<!-- /{part} -->)"
        text = re.sub(
            pattern, lambda match, content=content: f"{match[1]}\n\n{content}\n\n{match[2]}", text, flags=re.S
        )
    return text


def main() -> None:
    """Write, or check."""
    stale = [path for path in PAGES if filled(path.read_text()) != path.read_text()]
    if "--check" in sys.argv:
        if stale:
            sys.exit(f"out of date: {', '.join(path.name for path in stale)}; run: python docs/generate.py")
        return
    for path in stale:
        path.write_text(filled(path.read_text()))
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
