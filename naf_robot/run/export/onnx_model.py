"""A trained policy as an ONNX model, which is run beside our own policy before it is kept.

N observations at once, D observation size, A action size: `observation` (N, D) float32, the flat vector of the
observation spec, to `action` (N, A) float32 in [-1, 1], greedy. A policy that changes from step to step
takes `step` (N,) int64, the step of the episode from 0, too.
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
from naf_robot.learning.policies.registry import LINEAR_GAUSSIAN, MLP, make_policy
from naf_robot.run.checkpoint import read_checkpoint
from naf_robot.run.export.columns import metadata_of

OPSET = 17  # the first with LayerNormalization
IR_VERSION = 8  # of the same release, for older runtimes
TRIED = 64  # observations on which the two must agree
TOLERANCE = 1e-4  # of an action in [-1, 1]; sums are added in another order

Arrays = Mapping[str, NDArray[np.float32]]
Nodes = list[onnx.NodeProto]
Constants = dict[str, NDArray]


def _mlp(arrays: Arrays) -> tuple[Nodes, Constants]:
    nodes, last, x = [], max(int(name[1:]) for name in arrays if name.startswith("w")), "observation"
    for i in range(last + 1):
        y = f"affine{i}"
        nodes.append(helper.make_node("Gemm", [x, f"w{i}", f"b{i}"], [y]))
        if f"g{i}" in arrays:
            inputs, y = [y, f"g{i}", f"c{i}"], f"normal{i}"
            nodes.append(helper.make_node("LayerNormalization", inputs, [y], axis=-1, epsilon=LAYER_NORM_EPSILON))
        x = "action" if i == last else f"hidden{i}"
        nodes.append(helper.make_node("Tanh" if i == last else "Relu", [y], [x]))
    return nodes, dict(arrays)


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


FORMS: dict[str, Callable[[Arrays], tuple[Nodes, Constants]]] = {MLP: _mlp, LINEAR_GAUSSIAN: _linear_gaussian}


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
    observations = np.random.default_rng(0).normal(size=(TRIED, policy.observation_size)).astype(np.float32)
    policy.reset()
    ours = np.stack([policy.act(observation) for observation in observations])
    given: dict[str, NDArray] = {"observation": observations}
    if "step" in _names(model.graph.input):
        given["step"] = np.arange(TRIED, dtype=np.int64)
    found: Any = ReferenceEvaluator(model).run(None, given)
    apart = float(np.abs(found[0] - ours).max())
    if not apart <= TOLERANCE:
        raise NafRobotError(f"the ONNX model's actions are {apart:.3g} from those of our policy; it is not written")
    return apart


def _names(values: Sequence[onnx.ValueInfoProto]) -> list[str]:
    return [value.name for value in values]
