"""Writing a picture: whole or not at all."""

import errno
from pathlib import Path

import pytest
from matplotlib.image import imread

from elman.errors import RunError
from elman.pictures.canvas import new_map, new_plot, save


def test_labels_outside_the_figure_make_the_picture_grow(tmp_path):
    figure, axes, _ = new_map(2, 1)
    save(figure, tmp_path / "cut.png")
    axes.set_ylabel("beside")
    save(figure, tmp_path / "around.png", around=True)
    assert imread(tmp_path / "cut.png").shape[:2] == (120, 240)
    assert imread(tmp_path / "around.png").shape[1] > 240


@pytest.mark.parametrize(
    ("raised", "expected"), [(OSError(errno.ENOSPC, "No space left"), RunError), (ValueError(), ValueError)]
)
def test_what_fails_half_way_leaves_what_was_there(tmp_path, raised, expected):
    path = tmp_path / "a.png"
    path.write_text("before")
    figure, _ = new_plot()

    def half(file: Path, **_: object) -> None:
        Path(file).write_bytes(b"\x89PNG")
        raise raised

    figure.savefig = half
    with pytest.raises(expected):
        save(figure, path)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.png", "before")]
