"""Learning from pictures: the encoder, its disturbances, and what holds for every algorithm that learns from them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_batch import make_chain

from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.core.frames import Frames
from naf_robot.core.images import encode_image
from naf_robot.core.transitions import Transitions
from naf_robot.learning import registry
from naf_robot.learning.naf.learner import NafLearner
from naf_robot.learning.naf.vision import VisionNafLearner
from naf_robot.learning.policies.registry import make_policy
from naf_robot.learning.replay_buffer import ReplayBuffer
from naf_robot.learning.source_shares import SourceShares
from naf_robot.learning.sources import Mixture
from naf_robot.learning.vision.augmentation import as_floats, augmented, shifted
from naf_robot.learning.vision.config import EncoderConfig
from naf_robot.learning.vision.encoder import Encoder

D, A = 5, 3
CAMERA = (ArraySpec("camera", (16, 12, 3), dtype="uint8"),)
TWO = (ArraySpec("wrist", (10, 14, 3), dtype="uint8"), *CAMERA)
SMALL = EncoderConfig(channels=(4, 3), kernels=(3, 3), strides=(2, 1))
seeing = pytest.mark.parametrize("name", [n for n, entry in registry.ALGORITHMS.items() if entry.vision_learner])


def pictures(count: int, specs, seed: int) -> dict[str, Frames]:
    random = np.random.default_rng(seed)
    return {
        spec.name: Frames.of([encode_image(random.integers(0, 256, spec.shape).astype(np.uint8)) for _ in range(count)])
        for spec in specs
    }


def chain(count: int = 60, specs=CAMERA, seed: int = 0) -> Transitions:
    made = make_chain(count, D, A, seed)
    return Transitions(**vars(made) | {"images": pictures(count + 1, specs, seed)})


def replay_of(transitions: Transitions, specs=CAMERA) -> ReplayBuffer:
    replay = ReplayBuffer(500, D, A, images=specs)
    replay.add(transitions)
    return replay


def make(name: str, seed: int = 0, specs=CAMERA, **values):
    config = registry.algorithm_config_type(name)(encoder=SMALL, batch_size=16, **values)
    return registry.make_learner(name, config, D, A, replay_of(chain(specs=specs), specs), seed, images=specs)


@seeing
def test_updates_give_finite_metrics_and_move_encoder_and_networks(name):
    learner = make(name)
    before = {key: array.copy() for key, array in learner.state().items()}
    metrics = learner.update(3)
    assert all(math.isfinite(value) for value in metrics.values())
    assert (learner.updates, metrics["skipped_updates"]) == (3, 0)
    still = [key for key, array in learner.state().items() if np.array_equal(array, before[key])]
    assert not [key for key in still if "encoder" in key and "target" not in key], still


@seeing
@pytest.mark.parametrize("specs", [CAMERA, TWO])
def test_the_published_policy_sees_as_the_encoder_does(name, specs):
    learner = make(name, specs=specs)
    learner.update(2)
    policy = make_policy(learner.policy_kind, learner.policy_arrays())
    assert (policy.observation_size, policy.action_size) == (D, A)
    assert policy.pictures == {spec.name: spec.shape for spec in specs}
    random = np.random.default_rng(3)
    seen = {spec.name: random.integers(0, 256, spec.shape).astype(np.uint8) for spec in specs}
    with torch.no_grad():
        features = learner.encoder({n: as_floats(torch.from_numpy(a[None])) for n, a in seen.items()})[0].numpy()
    vector = np.ones(D, np.float32)
    expected = policy._mlp.action(np.concatenate((vector, features)))
    np.testing.assert_allclose(policy.action(vector, seen), expected, atol=1e-5)
    black = {n: np.zeros_like(a) for n, a in seen.items()}
    assert np.abs(policy.action(vector, black) - expected).max() > 1e-6


@seeing
def test_equal_seeds_give_equal_learners_and_resume_goes_on_bit_for_bit(name):
    first, second, resumed = make(name, 1), make(name, 1), make(name, 9)
    assert first.update(3) == second.update(3)
    resumed.load_state(first.state())
    assert resumed.update(2) == first.update(2)
    for key, array in first.state().items():
        np.testing.assert_array_equal(array, resumed.state()[key], err_msg=key)


@pytest.mark.parametrize(
    "values", [{}, {"variant": "plain"}, {"variant": "plain", "layer_norm": True}, {"policy_average": 0.9}], ids=str
)
def test_naf_with_pictures_takes_the_step_of_naf_on_their_features(values):
    """The gradient by autograd is the hand-written one, for the features as inputs."""
    config = registry.algorithm_config_type("naf")(
        encoder=EncoderConfig(**vars_of(SMALL) | {"shift": 0, "brightness": 0.0, "contrast": 0.0}),
        batch_size=16,
        **values,
    )
    transitions = chain()
    learner = VisionNafLearner(config, D, A, replay_of(transitions), 0, images=CAMERA)
    with torch.no_grad():
        raw = np.stack([np.asarray(frame) for frame in decoded(transitions)])
        features = learner.encoder({"camera": as_floats(torch.from_numpy(raw))}).numpy()
    wide = Transitions(
        **vars(transitions) | {"vectors": np.concatenate((transitions.vectors, features), axis=1), "images": {}}
    )
    replay = ReplayBuffer(500, D + features.shape[1], A)
    replay.add(wide)
    plain = NafLearner(config, D + features.shape[1], A, replay, 0)
    np.testing.assert_array_equal(plain.parameters.flat.numpy(), learner.parameters.flat.numpy())
    mine, theirs = learner.update(1), plain.update(1)
    np.testing.assert_allclose(learner.gradient.flat.numpy(), plain.gradient.flat.numpy(), rtol=1e-3, atol=2e-5)
    assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
    if learner.moments is not None:
        np.testing.assert_allclose(learner.moments.flat.numpy(), plain.moments.flat.numpy(), rtol=1e-4, atol=1e-6)


def vars_of(config: EncoderConfig) -> dict:
    return {name: getattr(config, name) for name in config.__struct_fields__}


def decoded(transitions: Transitions):
    from naf_robot.core.images import decode_image

    frames = transitions.images["camera"]
    return [decode_image(frames[index], CAMERA[0]) for index in range(len(transitions) + 1)]


@pytest.mark.parametrize("damage", ["features", "encoder alone"])
def test_a_gradient_that_is_not_finite_moves_neither_networks_nor_encoder(damage):
    learner = make("naf")
    learner.update(1)
    before, sharpness = learner.state(), learner.encoder.cameras[0].sharpness
    if damage == "features":
        with torch.no_grad():
            sharpness[0] = torch.nan
    else:
        sharpness.register_hook(lambda gradient: gradient * torch.inf)
    assert learner.update(1)["skipped_updates"] == 1
    after = learner.state()
    np.testing.assert_array_equal(before["parameters"], after["parameters"])
    for key in (key for key in before if key.startswith("encoder") and "sharpness" not in key):
        np.testing.assert_array_equal(before[key], after[key], err_msg=key)


def test_what_is_seen_alone_decides_is_learned():
    """Where a bright square is says which action is right; each step is an episode."""
    random, count, size = np.random.default_rng(0), 256, (12, 16, 3)
    spec = (ArraySpec("camera", size, dtype="uint8"),)
    places = random.integers(0, 13, count + 1)
    frames = np.full((count + 1, *size), 40, np.uint8)
    for row, (frame, column) in enumerate(zip(frames, places, strict=True)):
        top = row % 8
        frame[top : top + 4, column : column + 4] = (230, 60, 30)
    right = 0.8 * (places[:count, None] / 6.0 - 1.0)
    action = random.uniform(-1.0, 1.0, (count, 1)).astype(np.float32)
    made = vars(make_chain(count, D, 1, 0)) | {
        "vectors": np.ones((count + 1, D), np.float32),
        "action": action,
        "reward": -10.0 * np.square(action - right)[:, 0].astype(np.float32),
        "terminated": np.ones(count, bool),
        "images": {"camera": Frames.of([encode_image(frame) for frame in frames])},
    }
    replay = ReplayBuffer(500, D, 1, images=spec, decoded_bytes=1 << 20)
    replay.add(Transitions(**made))
    encoder = EncoderConfig(channels=(8, 4), kernels=(3, 3), strides=(2, 1), shift=0, learning_rate=3e-3)
    config = registry.algorithm_config_type("naf")(encoder=encoder, batch_size=64, hidden=(32,))
    learner = registry.make_learner("naf", config, D, 1, replay, 0, images=spec)
    learner.update(120)
    policy = make_policy(learner.policy_kind, learner.policy_arrays())
    acts = [policy.action(np.ones(D), {"camera": frame}) for frame in frames[:count]]
    error, blind = np.abs(right - np.array(acts)).mean(), np.abs(right).mean()
    assert error < 0.8 * blind, (error, blind)


def test_a_mixture_marks_the_rows_of_pictures_as_of_vectors():
    specs = CAMERA
    sources = {"online": replay_of(chain(30, specs, 1)), "demonstration": replay_of(chain(30, specs, 2))}
    mixture = Mixture(sources, SourceShares(demonstration=1.0), 0)
    observations, outcomes, seen = mixture.sample_images(2, 8, torch.Generator())
    assert observations.shape == (2, 2, 8, D)
    assert outcomes.shape == (2, 8, A + 3)
    assert seen["camera"].shape == (2, 2, 8, *specs[0].shape)
    rows = mixture.rows_of("demonstration")
    held = {tuple(vector) for vector in chain(30, specs, 2).vectors.tolist()}
    for block in range(2):
        for row in range(8):
            assert (tuple(observations[block, 0, row].tolist()) in held) == bool(rows[block, row])


def test_what_cannot_learn_from_pictures_is_refused(monkeypatch):
    blind = registry.AlgorithmEntry(registry.algorithm_config_type("naf"), registry.NAF)
    monkeypatch.setitem(registry.ALGORITHMS, "blind", blind)
    with pytest.raises(ConfigError, match=r"algorithm 'blind' does not learn from pictures; those that do: .*naf"):
        registry.check_pictures("blind", CAMERA)
    registry.check_pictures("blind", ())


def test_a_policy_that_sees_names_the_picture_that_is_wrong():
    policy = make_policy("vision", make("naf").policy_arrays())
    with pytest.raises(NafRobotError, match="policy takes pictures of camera; camera is missing"):
        policy.action(np.zeros(D))
    with pytest.raises(NafRobotError, match=r"pictures of camera of uint8 \(16, 12, 3\), got uint8 \(12, 16, 3\)"):
        policy.action(np.zeros(D), {"camera": np.zeros((12, 16, 3), np.uint8)})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"channels": (4,)}, "channels, kernels and strides of every convolution, got 1, 2 and 2"),
        ({"kernels": (0, 3)}, "kernels"),
        ({"brightness": 1.5}, "brightness"),
    ],
)
def test_wrong_encoders_are_refused(values, message):
    from naf_robot.core.config import build

    with pytest.raises(ConfigError, match=message):
        build(EncoderConfig, values, "algorithm.encoder")


def test_pictures_too_small_for_the_encoder_are_refused():
    with pytest.raises(ValueError, match="too small"):
        Encoder(EncoderConfig(), (ArraySpec("camera", (8, 64, 3), dtype="uint8"),), torch.Generator())


def test_a_feature_is_the_place_of_what_its_channel_sees():
    config = EncoderConfig(channels=(1,), kernels=(1,), strides=(1,))
    encoder = Encoder(config, (ArraySpec("camera", (5, 9, 3), dtype="uint8"),), torch.Generator())
    camera = encoder.cameras[0]
    with torch.no_grad():
        camera.convolutions[0].weight.fill_(1.0)
        camera.sharpness.fill_(100.0)
    picture = torch.full((1, 3, 5, 9), -0.5)
    picture[0, :, 1, 6] = 0.5
    torch.testing.assert_close(encoder({"camera": picture})[0], torch.tensor([-0.5, 0.5]))


@settings(max_examples=25, deadline=None)
@given(most=st.integers(0, 5), seed=st.integers(0, 1000))
def test_shifts_move_whole_pictures_and_repeat_their_edges(most, seed):
    pictures = torch.randint(0, 256, (4, 6, 7, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    moved = shifted(pictures, most, torch.Generator().manual_seed(seed))
    for before, after in zip(pictures.numpy(), moved.numpy(), strict=True):
        padded = np.pad(before, ((most, most), (most, most), (0, 0)), mode="edge")
        windows = [padded[i : i + 6, j : j + 7] for i in range(2 * most + 1) for j in range(2 * most + 1)]
        assert any(np.array_equal(window, after) for window in windows)


def test_disturbed_pictures_stay_in_range_and_differ_undisturbed_ones_are_the_same():
    pictures = torch.randint(0, 256, (8, 6, 7, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    still = EncoderConfig(shift=0, brightness=0.0, contrast=0.0)
    torch.testing.assert_close(augmented(pictures, still, torch.Generator()), as_floats(pictures), rtol=0.0, atol=0.0)
    found = augmented(pictures, EncoderConfig(contrast=1.0, brightness=0.5), torch.Generator().manual_seed(1))
    assert found.min() >= -0.5
    assert found.max() <= 0.5
    again = augmented(pictures, EncoderConfig(contrast=1.0, brightness=0.5), torch.Generator().manual_seed(2))
    assert not torch.equal(found, again)


def test_decoded_pictures_are_kept_within_the_bound_and_leave_with_their_rows():
    transitions, size = chain(), CAMERA[0].size
    bounded, decoding = (ReplayBuffer(30, D, A, images=CAMERA, decoded_bytes=kept) for kept in (10 * size + 1, 0))
    for replay in (bounded, decoding):
        replay.add(transitions)
    for seed in range(5):
        first = bounded.sample_images(1, 40, torch.Generator().manual_seed(seed))[2]["camera"]
        second = decoding.sample_images(1, 40, torch.Generator().manual_seed(seed))[2]["camera"]
        assert torch.equal(first, second)
        for replay in (bounded, decoding):
            replay.add(chain(20, seed=seed + 1))  # rows are used again
    assert len(bounded._frames._decoded) <= 10
    assert set(bounded._frames._decoded) <= set(bounded._frames._rows)
