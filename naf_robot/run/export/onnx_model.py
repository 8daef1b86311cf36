"""A trained policy as an ONNX model, which is run beside our own policy before it is kept.

N observations at once, D observation size, A action size: `observation` (N, D) float32, the flat vector of the
observation spec, to `action` (N, A) float32 in [-1, 1], greedy. A policy that changes from step to step
takes `step` (N,) int64, the step of the episode from 0, too; one that sees takes `<camera>` (N, H, W, 3) uint8 for each
of its cameras.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from naf_robot.core.errors import NafRobotError
from naf_robot.core.files import write_new
from naf_robot.experience.contract import Contract
from naf_robot.learning.policies.mlp import LAYER_NORM_EPSILON
from naf_robot.learning.policies.registry import LINEAR_GAUSSIAN, MLP, VISION, make_policy
from naf_robot.run.checkpoint import read_checkpoint
from naf_robot.run.export.columns import metadata_of

OPSET = 17  # the first with LayerNormalization
IR_VERSION = 8  # of the same release, for older runtimes
TRIED = 64  # observations on which the two must agree
TOLERANCE = 1e-4  # of an action in [-1, 1]; sums are added in another order

Arrays = Mapping[str, NDArray[np.float32]]
Nodes = list[onnx.NodeProto]
Constants = dict[str, NDArray]


def _mlp(arrays: Arrays, x: str = "observation") -> tuple[Nodes, Constants]:
    nodes, last = [], max(int(name[1:]) for name in arrays if name.startswith("w"))
    for i in range(last + 1):
        y = f"affine{i}"
        nodes.append(helper.make_node("Gemm", [x, f"w{i}", f"b{i}"], [y]))
        if f"g{i}" in arrays:
            inputs, y = [y, f"g{i}", f"c{i}"], f"normal{i}"
            nodes.append(helper.make_node("LayerNormalization", inputs, [y], axis=-1, epsilon=LAYER_NORM_EPSILON))
        x = "action" if i == last else f"hidden{i}"
        nodes.append(helper.make_node("Tanh" if i == last else "Relu", [y], [x]))
    return nodes, dict(arrays)


def _vision(arrays: Arrays) -> tuple[Nodes, Constants]:
    of_camera: dict[str, dict[str, NDArray[np.float32]]] = {}
    for name, array in arrays.items():
        camera, _, own = name.rpartition(".")
        of_camera.setdefault(camera, {})[own] = array
    mlp, mlp_constants = _mlp(of_camera.pop(""), "vector")
    nodes: Nodes = []
    constants: Constants = {"white": np.float32(255.0), "half": np.float32(0.5)}
    for camera in sorted(of_camera):
        own_nodes, own_constants = _camera(camera, of_camera[camera])
        nodes += own_nodes
        constants |= own_constants
    parts = ["observation", *(f"{camera}.features" for camera in sorted(of_camera))]
    return [*nodes, helper.make_node("Concat", parts, ["vector"], axis=1), *mlp], constants | mlp_constants


def _camera(name: str, arrays: Arrays) -> tuple[Nodes, Constants]:
    """From the picture `name` (N, H, W, 3) to `name.features` (N, 2 C), as `policies.vision` has them."""
    of = f"{name}.".__add__
    nodes = [
        helper.make_node("Cast", [name], [of("floats")], to=TensorProto.FLOAT),
        helper.make_node("Div", [of("floats"), "white"], [of("share")]),
        helper.make_node("Sub", [of("share"), "half"], [of("centred")]),
        helper.make_node("Transpose", [of("centred")], [of("x")], perm=[0, 3, 1, 2]),
    ]
    constants: Constants = {}
    size, x = arrays["size"].astype(int), of("x")
    for i, stride in enumerate(arrays["strides"].astype(int).tolist()):
        if i:
            nodes.append(helper.make_node("Relu", [x], [of(f"active{i}")]))
            x = of(f"active{i}")
        weights = [of(f"w{i}"), of(f"b{i}")]
        nodes.append(helper.make_node("Conv", [x, *weights], [of(f"map{i}")], strides=[stride, stride]))
        x = of(f"map{i}")
        constants[weights[0]] = np.ascontiguousarray(arrays[f"w{i}"].transpose(3, 2, 0, 1))
        constants[weights[1]] = arrays[f"b{i}"]
        size = (size - arrays[f"w{i}"].shape[0]) // stride + 1
    rows, columns = (np.linspace(-1.0, 1.0, count, dtype=np.float32) for count in size.tolist())
    channels = len(arrays["sharpness"])
    constants |= {
        of("sharpness"): arrays["sharpness"].reshape(1, channels, 1, 1),
        of("flat"): np.array([0, channels, -1], np.int64),
        of("places"): np.stack((np.repeat(rows, len(columns)), np.tile(columns, len(rows))), axis=1),  # (places, 2)
        of("both"): np.array([0, 2 * channels], np.int64),
    }
    nodes += [
        helper.make_node("Mul", [x, of("sharpness")], [of("scores")]),
        helper.make_node("Reshape", [of("scores"), of("flat")], [of("rows")]),
        helper.make_node("Softmax", [of("rows")], [of("weights")], axis=2),
        helper.make_node("MatMul", [of("weights"), of("places")], [of("means")]),  # (N, C, 2)
        helper.make_node("Transpose", [of("means")], [of("turned")], perm=[0, 2, 1]),
        helper.make_node("Reshape", [of("turned"), of("both")], [of("features")]),
    ]
    return nodes, constants


def _linear_gaussian(arrays: Arrays) -> tuple[Nodes, Constants]:
    steps = len(arrays["K"])
    box: Constants = {"low": np.float32(-1.0), "high": np.float32(1.0)}
    clip = helper.make_node("Clip", ["mean", "low", "high"], ["action"])
    if steps == 1:
        gemm = helper.make_node("Gemm", ["observation", "K", "k"], ["mean"], transB=1)
        return [gemm, clip], box | {"K": arrays["K"][0], "k": arrays["k"][0]}
    nodes = [
        helper.make_node("Min", ["step", "last"], ["now"]),
        helper.make_node("Gather", ["K", "now"], ["gains"]),  # (N, A, D)
        helper.make_node("Gather", ["k", "now"], ["offsets"]),  # (N, A)
        helper.make_node("Unsqueeze", ["observation", "behind"], ["column"]),  # (N, D, 1)
        helper.make_node("MatMul", ["gains", "column"], ["product"]),
        helper.make_node("Squeeze", ["product", "behind"], ["linear"]),
        helper.make_node("Add", ["linear", "offsets"], ["mean"]),
        clip,
    ]
    own = {"K": arrays["K"], "k": arrays["k"], "last": np.int64(steps - 1), "behind": np.array([2], np.int64)}
    return nodes, box | own


FORMS: dict[str, Callable[[Arrays], tuple[Nodes, Constants]]] = {
    MLP: _mlp,
    LINEAR_GAUSSIAN: _linear_gaussian,
    VISION: _vision,
}


def export_policy(run_dir: Path, contract: Contract, output: Path, version: int | None = None) -> str:
    """Write the policy of the newest checkpoint, or of `version`, to `output`; a sentence that says which.

    Raises:
        CheckpointError: there is no such checkpoint.
        NafRobotError: a kind of policy without a form in ONNX, or a model that acts differently.
        OSError: the file cannot be written.
    """
    policy = read_checkpoint(run_dir, version).policy
    metadata = metadata_of(contract) | {
        "policy": json.dumps({"kind": policy.kind, "version": policy.version, "updates": policy.updates})
    }
    model = model_of(policy.kind, policy.arrays, metadata)
    apart = largest_difference(model, policy.kind, policy.arrays)
    write_new(output, model.SerializeToString())
    return f"{output}: policy version {policy.version}; at most {apart:.1e} from ours on {TRIED} observations"


def model_of(kind: str, arrays: Arrays, metadata: Mapping[str, str]) -> onnx.ModelProto:
    """The model of a policy of `kind` with `arrays`.

    Raises:
        NafRobotError: arrays that are no such policy, or a kind without a form in ONNX.
    """
    policy = make_policy(kind, arrays)
    if kind not in FORMS:
        raise NafRobotError(f"a policy of kind {kind!r} has no form in ONNX; kinds that have: {', '.join(FORMS)}")
    nodes, constants = FORMS[kind](arrays)
    inputs = [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["N", policy.observation_size])]
    if any("step" in node.input for node in nodes):
        inputs.append(helper.make_tensor_value_info("step", TensorProto.INT64, ["N"]))
    for camera, shape in policy.pictures.items():
        inputs.append(helper.make_tensor_value_info(camera, TensorProto.UINT8, ["N", *shape]))
    outputs = [helper.make_tensor_value_info("action", TensorProto.FLOAT, ["N", policy.action_size])]
    held = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "policy", inputs, outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="naf_robot")
    model.ir_version = IR_VERSION
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    return model


def largest_difference(model: onnx.ModelProto, kind: str, arrays: Arrays) -> float:
    """How far the model's actions are from those of our policy, over the first steps of an episode.

    Raises:
        NafRobotError: farther than rounding explains.
    """
    policy = make_policy(kind, arrays)
    random = np.random.default_rng(0)
    observations = random.normal(size=(TRIED, policy.observation_size)).astype(np.float32)
    seen = {name: random.integers(0, 256, (TRIED, *shape)).astype(np.uint8) for name, shape in policy.pictures.items()}
    policy.reset()
    rows = ({name: array[row] for name, array in seen.items()} for row in range(TRIED))
    ours = np.stack([policy.act(vector, None, pictures) for vector, pictures in zip(observations, rows, strict=True)])
    given: dict[str, NDArray] = {"observation": observations} | seen
    if "step" in _names(model.graph.input):
        given["step"] = np.arange(TRIED, dtype=np.int64)
    found: Any = ReferenceEvaluator(model).run(None, given)
    apart = float(np.abs(found[0] - ours).max())
    if not apart <= TOLERANCE:
        raise NafRobotError(f"the ONNX model's actions are {apart:.3g} from those of our policy; it is not written")
    return apart


def _names(values: Sequence[onnx.ValueInfoProto]) -> list[str]:
    return [value.name for value in values]
