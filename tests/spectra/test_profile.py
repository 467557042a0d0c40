"""Profiles as values: they survive the disk and show themselves; and what is logged while a network trains."""

import dataclasses
import json

import pytest
import torch
from torch import nn

from cases import random_layers, through
from isthmus import RankProfile, measure
from isthmus.errors import (
    FileFormatError,
    FileMissingError,
    OptionError,
)
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import Activation
from isthmus.spectra import JacobianSpectra, ProfileLogger, lightning_callback, rank_curve
from isthmus.spectra.jacobian import cost_lower

X = torch.randn(60, 9, generator=torch.Generator().manual_seed(0))


def local():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(9, 12), nn.GELU(), nn.Linear(12, 2))


@pytest.fixture(params=["chain", "local", "sketched"])
def profile(request):
    model = through(2, seed=1) if request.param == "chain" else local()
    return measure(model, X, leading=2 if request.param == "sketched" else None)


def test_a_profile_survives_the_disk(profile, tmp_path):
    loaded = RankProfile.load(profile.save(tmp_path / "p"))
    assert loaded.record() == profile.record()
    assert loaded.jacobian_rank == profile.jacobian_rank
    assert torch.equal(loaded.jacobian.singular_values, profile.jacobian.singular_values)
    assert (loaded.jacobian.upper is None) == (profile.jacobian.upper is None)
    assert {file.name for file in (tmp_path / "p").iterdir()} == {"profile.json", "profile.safetensors"}


def test_a_profile_is_frozen(profile):
    with pytest.raises(dataclasses.FrozenInstanceError):
        profile.rows = 3


def test_damaged_profiles_are_refused(tmp_path):
    with pytest.raises(FileMissingError, match=r"no .*profile\.json.*RankProfile\.save"):
        RankProfile.load(tmp_path)
    (tmp_path / "profile.json").write_text("{}")
    with pytest.raises(FileFormatError, match="not a profile of isthmus"):
        RankProfile.load(tmp_path)
    measure(local(), X).save(tmp_path)
    stored = json.loads((tmp_path / "profile.json").read_text())
    del stored["profile"]["curve"]
    (tmp_path / "profile.json").write_text(json.dumps(stored))
    with pytest.raises(FileFormatError, match="does not fit together"):
        RankProfile.load(tmp_path)
    measure(local(), X).save(tmp_path)
    tensors = (tmp_path / "profile.safetensors").read_bytes()
    (tmp_path / "profile.safetensors").write_bytes(tensors[: len(tensors) // 2])
    with pytest.raises(FileFormatError, match="damaged"):
        RankProfile.load(tmp_path)


def test_a_profile_shows_itself(profile, tmp_path):
    for what in ("jacobian", "curve", "narrowing", "weights", "activations", "nonlinearity"):
        assert len(profile.plot(what).to_plotly_json()["data"]) > 0
    with pytest.raises(OptionError, match="what is 'spectrum' but must be one of jacobian"):
        profile.plot("spectrum")
    assert "This network passes through" in profile._repr_html_()
    assert profile.report(tmp_path / "r.html").stat().st_size > 1_000_000
    if profile.method == "local":
        assert "local measurements" in profile._repr_html_()
        with pytest.raises(OptionError, match="what is 'isometry'"):
            profile.plot("isometry")
        return
    page = (tmp_path / "r.html").read_text()
    assert "lie within 0.1 of a partial isometry of rank" in page
    assert "Cost of identity and energy" in page
    distances, identity = profile.plot("isometry"), profile.plot("identity")
    assert list(distances.data[0].y) == [layer.isometry_distance for layer in profile.layers]
    assert list(identity.data[2].y) == list(profile.energies)


def test_a_table_has_one_row_a_layer(profile):
    pytest.importorskip("pandas")
    table = profile.to_frame()
    assert len(table) == len(profile.layers)
    weights = torch.tensor(profile.layers[0].weight_singular_values)
    assert table["weight_norm"].iloc[0] == pytest.approx(float(weights[0]))
    assert table["weight_stable_rank"].iloc[0] == pytest.approx(float((weights / weights[0]).square().sum()), rel=1e-6)


def test_the_curve_of_a_known_spectrum():
    spectra = JacobianSpectra(torch.tensor([[1.0, 0.5, 1e-3], [1.0, 0.5, 2e-3], [1.0, 0.05, 1e-3]]).double())
    curve = rank_curve(spectra, Tolerance(0.1))
    assert curve.plateau_rank == 3  # from 2e-3 to rounding
    assert curve.gap == pytest.approx(250.0)
    assert curve.next_direction == pytest.approx(2e-3)
    assert curve.resampled == {1: pytest.approx(1 / 27), 2: pytest.approx(26 / 27)}
    at = dict(zip(curve.tolerances, zip(curve.largest, curve.median, strict=True), strict=True))
    assert at[0.1] == (2, 2.0)


def test_a_plateau_is_one_of_a_rank_that_is_known_from_both_sides():
    values = torch.tensor([[1.0, 0.5, 1e-5]]).double()
    tight, loose = torch.tensor([[1.0, 0.5, 1.1e-5]]).double(), torch.tensor([[1.0, 0.5, 0.4]]).double()
    known = rank_curve(JacobianSpectra(values, tight), Tolerance(0.1))
    assert (known.plateau_rank, known.plateau) == (2, (pytest.approx(1.1e-5, rel=0.13), pytest.approx(0.5, rel=0.13)))
    unsure = rank_curve(JacobianSpectra(values, loose), Tolerance(0.1))
    assert (unsure.plateau_rank, unsure.plateau) == (3, (pytest.approx(1e-6), pytest.approx(1e-5, rel=0.13)))
    # of four values only three are known: below the third the rank is 3 or 4
    leading = rank_curve(JacobianSpectra(values + 1e-3, tight + 1e-3, is_leading=True), Tolerance(0.1))
    assert (leading.plateau_rank, leading.plateau[0]) == (2, pytest.approx(1e-3, rel=0.13))
    assert rank_curve(JacobianSpectra(values[:, :1], tight[:, :1], is_leading=True), Tolerance(0.1)).plateau is None


def test_resampling_probabilities_are_those_of_drawing():
    ranks = torch.tensor([1] * 18 + [2, 3])
    values = (torch.arange(3)[None] < ranks[:, None]).double()
    expected = rank_curve(JacobianSpectra(values), Tolerance(0.1)).resampled
    generator = torch.Generator().manual_seed(0)
    drawn = ranks[torch.randint(0, 20, (20_000, 20), generator=generator)].amax(1)
    for k, probability in expected.items():
        assert float((drawn == k).double().mean()) == pytest.approx(probability, abs=0.015)


@pytest.mark.parametrize("slope", [0.0, -1.0, 3.0, -2.5])
def test_proposition_3_holds_for_steep_activations(slope):
    points = torch.randn(40, 5, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    for seed in range(20):
        network = random_layers((5, 8, 8, 4), Activation(slope), seed=seed)
        profile = measure(network, points)
        assert profile.cost_lower <= network.norm_per_depth
        at = points[profile.cost_row][None]
        alone = cost_lower(
            measure(network, at, scale_inputs="none", scale_outputs="none").jacobian, network.depth, slope
        )
        assert float(alone) == pytest.approx(profile.cost_lower)


class Recorder:
    def __init__(self):
        self.logged = []

    def add_scalar(self, tag, scalar_value, global_step):
        self.logged.append((tag, scalar_value, global_step))


def test_a_plain_loop_logs_every_n_steps():
    writer, model = Recorder(), local()
    logger = ProfileLogger(X, every=2, writer=writer)
    for step in range(4):
        logger(model.train(), step)
    assert [step for step, _ in logger.history] == [0, 2]
    assert ("isthmus/jacobian_rank", 2.0, 2) in writer.logged
    assert {tag for tag, _, _ in writer.logged} >= {"isthmus/bottleneck_rank", "isthmus/nonlinearity_impact/0"}
    with pytest.raises(OptionError, match="every is 0"):
        ProfileLogger(X, every=0)


def test_tensorboard_reads_what_was_logged(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = ProfileLogger(X, every=1, log_dir=tmp_path)
    logger(local(), 0)
    logger.writer.close()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Scalars("isthmus/jacobian_rank")[0].value == 2.0


@pytest.mark.filterwarnings("ignore")  # lightning's own advice on loaders and loggers
def test_the_lightning_callback(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch")

    class Task(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = local()

        def training_step(self, batch, _):
            return self.net(batch[0]).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.01)

    logger = ProfileLogger(X, every=2)
    trainer = lightning.Trainer(
        max_steps=4,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        default_root_dir=tmp_path,
        callbacks=[lightning_callback(logger, lambda module: module.net)],
    )
    trainer.fit(Task(), torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X), batch_size=15))
    assert [step for step, _ in logger.history] == [2, 4]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("act", [nn.ReLU, nn.Tanh])
def test_the_two_ranks_cannot_contradict_the_theory(seed, act):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(6, 8), act(), nn.Linear(8, 4))
    profile = measure(net, torch.randn(200, 6), tolerance=Tolerance(0.3))
    assert profile.bottleneck_rank.lower <= profile.jacobian_rank.lower <= profile.bottleneck_rank.upper
    counted = int(profile.jacobian.ranks(profile.tolerance).max())
    assert profile.jacobian_rank.evidence[0].startswith(f"the Jacobian has {counted} singular values")
    assert ("a function within 0.3" in profile.jacobian_rank.evidence[0]) == (counted > profile.bottleneck_rank.upper)
