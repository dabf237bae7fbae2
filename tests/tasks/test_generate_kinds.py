"""Music, sounds and images: learned, judged, gone on with, and written as files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import elman
from elman.data import Sound, from_mu_law, made_calls, made_pieces, mu_law, read_pieces, read_sound, write_midi
from elman.errors import DataError, OptionError, RunError
from elman.tasks.unusual import auroc

pytest.importorskip("mido")
soundfile = pytest.importorskip("soundfile")

SMALL: dict[str, Any] = {"hidden_size": 24, "learning_rate": 0.01}
KINDS: dict[str, dict[str, Any]] = {
    "chords": {"epochs": 6, "batch_size": 16},
    "sound": {"epochs": 1, "window": 400, "batch_size": 64},
    "images": {"epochs": 2},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for kind, settings in KINDS.items():
        elman.train("generate", out=folder / kind, kind=kind, **SMALL, **settings)
    return folder


def loss_of(run: Path) -> float:
    return json.loads((run / "metrics.json").read_text())["valid"]["loss"]


def test_cadences_are_learned(runs: Path, tmp_path: Path) -> None:
    model = elman.load(runs / "chords")
    notes = torch.cat(list(made_pieces().chords)).mean(0)
    alone = -sum(float(p * p.log() + (1 - p) * (1 - p).log()) for p in notes if p)
    assert loss_of(runs / "chords") < 0.8 * alone  # of notes that come as often, but by chance
    write_midi(tmp_path / "a.mid", [[48, 60, 64, 67]])
    [chords] = model.predict(str(tmp_path / "a.mid"), length=5, seed=3)
    assert len(chords) == 5
    assert [chords] == model.predict([[[48, 60, 64, 67]]], length=5, seed=3)
    assert [chords] != model.predict([[[48, 60, 64, 67]]], length=5, seed=4)
    assert model.predict("", length=0) == [[]]
    assert model.write("", tmp_path / "b.mid", length=7) == "7 chords"
    assert len(read_pieces(tmp_path / "b.mid").chords[0]) == 7
    assert model.evaluate(tmp_path / "a.mid")["loss"] > 0


def test_tones_are_learned(runs: Path, tmp_path: Path) -> None:
    model = elman.load(runs / "sound")
    calls = made_calls()
    numbers = torch.cat([mu_law(sound.samples) for sound in calls.inputs])
    shares = numbers.bincount(minlength=256) / len(numbers)
    assert loss_of(runs / "sound") < 0.95 * -float((shares * shares.clamp_min(1e-9).log()).sum())
    soundfile.write(tmp_path / "a.wav", calls.inputs[0].samples[:4000].numpy(), calls.inputs[0].rate)
    [samples] = model.predict([read_sound(tmp_path / "a.wav")], length=400, seed=1)
    written = model.write(str(tmp_path / "a.wav"), tmp_path / "b.wav", length=400, seed=1)
    heard = read_sound(tmp_path / "b.wav")
    assert written == f"{len(heard) / 8000:.2f} s"
    assert (len(heard), heard.rate) == (4000 + len(samples), 8000)
    np.testing.assert_allclose(heard.samples[:4000], calls.inputs[0].samples[:4000], atol=1e-4)  # 16 bits
    np.testing.assert_allclose(heard.samples[4000:], samples, atol=1e-4)
    assert len(model.predict("", temperature=1.0)[0]) <= 8000
    assert model.evaluate(tmp_path / "a.wav")["bits_per_sample"] > 0
    assert read_sound(runs / "sound" / "sounds" / "sample.wav").rate == 8000


def test_what_no_training_has_heard_is_unusual(runs: Path) -> None:
    model = elman.load(runs / "sound")
    samples = made_calls(101).inputs[100].samples[:8000].clone()
    samples[4000:4400] = torch.rand(400, generator=torch.Generator().manual_seed(0)) * 2 - 1  # 50 ms of loud noise
    [judged] = model.predict([Sound(samples, 8000)], unusual=True)
    assert [one["second"] for one in judged[:3]] == [0.0, 0.01, 0.02]
    assert len(judged) == 100
    planted = [50 <= number < 55 for number in range(100)]
    assert auroc([one["error"] for one in judged], planted) > 0.99
    assert all(one["unusual"] for one in judged[50:55])
    assert sum(one["unusual"] for one in judged) <= 12
    assert model.predict([Sound(samples[:3], 8000)], unusual=True) == [[]]


def test_images_are_learned(runs: Path, tmp_path: Path) -> None:
    model = elman.load(runs / "images")
    pixels = 24 * 24
    scores = json.loads((runs / "images" / "metrics.json").read_text())["valid"]
    assert scores["nats_per_image"] == pytest.approx(scores["loss"] * pixels)
    assert scores["bits_per_pixel"] < 0.75
    with Image.open(runs / "images" / "pictures" / "samples.png") as sheet:
        assert sheet.size[0] >= 600
    image = np.random.default_rng(0).integers(0, 2, (24, 24)).astype(np.uint8) * 255
    Image.fromarray(image).save(tmp_path / "a.png")
    assert model.write("", tmp_path / "D.PNG", count=1) == "1 new images"
    [done] = model.predict(str(tmp_path / "a.png"), kept=0.25, seed=2)
    assert np.array(done).shape == (24, 24)
    assert np.array_equal(np.array(done)[:6], image[:6])  # two shades stay what they are
    assert set(np.unique(done)) <= {0, 255}
    assert [done] == model.predict(image, kept=0.25, seed=2) != model.predict(image, kept=0.25, seed=3)
    [new] = model.predict("", count=3)
    assert np.array(new).shape == (3, 24, 24)
    assert model.write(model.task.read_inputs(tmp_path / "a.png"), tmp_path / "b.png").startswith("1 images")
    assert model.write("", tmp_path / "c.png", count=2) == "2 new images"
    np.savez(tmp_path / "x.npz", x=image[None])
    assert model.evaluate(tmp_path / "x.npz")["nats_per_image"] > 0


def test_grey_images_have_more_shades(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 5, 6, 3)).astype(np.uint8)
    np.savez(tmp_path / "x.npz", x=images)
    settings = {"kind": "images", "levels": 4, "hidden_size": 8, "epochs": 1}
    model = elman.train("generate", train=tmp_path / "x.npz", out=tmp_path / "run", **settings)
    assert set(np.unique(model.predict("", temperature=2.0)[0])) == {0, 85, 170, 255}
    elman.train("generate", train=tmp_path / "x.npz", out=tmp_path / "more", from_=tmp_path / "run", epochs=1)
    with pytest.raises(OptionError, match="levels is 4"):
        elman.train("generate", train=tmp_path / "x.npz", out=tmp_path / "other", from_=tmp_path / "run", levels=2)


def test_seeds_act_piece_by_piece_too(runs: Path) -> None:
    for kind in ("chords", "images"):
        model = elman.load(runs / kind)
        settings = {"count": 2} if kind == "images" else {"length": 9}
        first, second, again = ("".join(model.stream("", seed=seed, **settings)) for seed in (1, 2, 1))
        assert first == again != second
        with pytest.raises(OptionError, match="seed expects"):
            model.predict("", seed=2**70)


def test_an_image_goes_on_as_it_would_alone(runs: Path) -> None:
    model = elman.load(runs / "images")
    images = [np.full((24, 24), shade, np.uint8) for shade in (0, 255)]
    together = model.predict(images, seed=1)
    assert together == [model.predict(image, seed=1)[0] for image in images]


REFUSED = {
    "text's": ("chords", {"stop": "a"}, OptionError, "stop does not act on models of chords"),
    "images'": ("sound", {"count": 3}, OptionError, "count does not act on models of sound"),
    "music's": ("images", {"length": 3}, OptionError, "length does not act on models of images"),
    "beside unusual": (
        "sound",
        {"unusual": True, "length": 3},
        OptionError,
        "length does not act where what is unusual",
    ),
    "kept of nothing": ("images", {"kept": 0.3}, OptionError, "kept does not act on new images"),
    "nucleus": ("chords", {"top_p": 0.5}, OptionError, "top_p does not act on models of chords"),
}


@pytest.mark.parametrize(("kind", "settings", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_settings_of_others_are_refused(runs: Path, kind: str, settings: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        elman.load(runs / kind).predict("", **settings)


def test_bad_inputs_are_named(runs: Path, tmp_path: Path) -> None:
    images, sound, chords = (elman.load(runs / kind) for kind in ("images", "sound", "chords"))
    with pytest.raises(DataError, match=r"input 1 has the shape \(3, 3\); expected \(24, 24\)"):
        images.predict(np.zeros((3, 3), np.uint8))
    with pytest.raises(DataError, match="input 1 expects bytes"):
        images.predict(np.zeros((3, 3)))
    with pytest.raises(DataError, match="expected a recording or its path; received int"):
        sound.predict(3)
    with pytest.raises(DataError, match="there is no file"):
        sound.predict("nowhere.wav")
    with pytest.raises(DataError, match="there is no file"):
        chords.predict("nowhere.mid")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no recordings"):
        sound.evaluate(tmp_path / "empty")
    with pytest.raises(OptionError, match="can hold one answer; received 2 inputs"):
        sound.write(["", ""], tmp_path / "a.wav")
    with pytest.raises(OptionError, match="can hold one answer; received 2 inputs"):
        chords.write(["", ""], tmp_path / "a.mid")
    with pytest.raises(OptionError, match=r"write no \.mp3; expected \.wav, \.flac"):
        sound.write("", tmp_path / "a.mp3")
    with pytest.raises(OptionError, match="there is nothing to write"):
        images.write([], tmp_path / "a.png")
    with pytest.raises(DataError, match="input 1 expects bytes"):
        images.predict([None])
    with pytest.raises(OptionError, match="holds sound; write what is unusual"):
        sound.write("", tmp_path / "a.wav", unusual=True)
    assert not list(tmp_path.glob("a.*"))


@pytest.mark.parametrize(("name", "kind"), [("levels", "images"), ("transpose", "chords"), ("rate", "sound")])
def test_options_of_one_kind_are_refused_by_others(name: str, kind: str) -> None:
    with pytest.raises(OptionError, match=f"{name} acts on kind = {kind}; received kind = text"):
        elman.train("generate", out="nowhere", **{name: 2000 if name == "rate" else 3})


def test_a_run_of_another_kind_cannot_be_read_with(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"{'yes' if n % 2 else 'no'} word{n % 2}\n" for n in range(40)))
    with pytest.raises((RunError, OptionError)):
        elman.train("classify", train=tmp_path / "a.txt", out=tmp_path / "run", from_=runs / "images", epochs=1)


def test_soft_sounds_keep_more_of_their_shape_than_loud_ones() -> None:
    samples = torch.linspace(-1, 1, 10_001)
    error = (from_mu_law(mu_law(samples)) - samples).abs()
    assert error.max() < 0.022  # half a step where the curve is flattest
    assert error[samples.abs() < 0.01].max() < 0.0005
    assert torch.equal(mu_law(from_mu_law(torch.arange(256))), torch.arange(256))
