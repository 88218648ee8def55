"""The cross-encoder between its two forms: a BERT of transformers, to be trained, and the ONNX file that is shipped.

What it starts from is all-MiniLM-L6-v2 (Apache-2.0) as ONNX, from LangChain4j's jar: SOURCE.md beside the shipped file
says how to have it. The same graph, with the trained weights in the places of the old ones and the score put behind it,
is quantised and shipped.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import BertConfig, BertForSequenceClassification

_LAYERS = 6
_MATRICES = (  # in the order of the graph, whose matrices have no names of their own
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


def load(file: Path) -> Any:
    """Return the network with the weights of an ONNX embedder, and a new head."""
    graph = onnx.load(file).graph
    config = BertConfig(
        hidden_size=384,
        num_hidden_layers=_LAYERS,
        intermediate_size=1536,
        num_labels=1,
        hidden_dropout_prob=0.08,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",  # of short texts, on a CPU, half as long again in training as torch's fused one
    )
    network = BertForSequenceClassification(config)
    weights = {given.name: numpy_helper.to_array(given) for given in graph.initializer}
    state = network.state_dict()
    for place, (name, turned) in _places(graph).items():
        state[f"bert.{place}"] = torch.tensor(weights[name].T if turned else weights[name])
    network.load_state_dict(state)
    return network


def save(network: Any, none: float, base: Path, file: Path) -> None:
    """Write the network as int8 ONNX; `none` is what no answer scores, which the shipped one scores 0."""
    model = onnx.load(base)
    graph, state = model.graph, network.state_dict()
    given = {tensor.name: tensor for tensor in graph.initializer}
    for place, (name, turned) in _places(graph).items():
        trained = state[f"bert.{place}"].numpy()
        given[name].CopyFrom(numpy_helper.from_array(trained.T if turned else trained, name))
    _put_score_behind(graph, state, none)
    onnx.checker.check_model(model)
    whole = file.with_suffix(".float.onnx")
    onnx.save(model, whole)
    # A scale a channel: with one a matrix the scores are off by a third of their spread, with this by a tenth.
    quantize_dynamic(whole, file, weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=["pool", "head"])
    whole.unlink()


def _places(graph: Any) -> dict[str, tuple[str, bool]]:
    """Return for each of BERT's weights its name in the graph, and whether it is turned there."""
    named = {tensor.name for tensor in graph.initializer}
    places = {name: (name, False) for name in named if name.endswith((".weight", ".bias"))}
    matrices = [node.input[1] for node in graph.node if node.op_type == "MatMul" and node.input[1] in named]
    for number, name in enumerate(matrices):
        layer, place = divmod(number, len(_MATRICES))
        places[f"encoder.layer.{layer}.{_MATRICES[place]}.weight"] = (name, True)
    return places


def _put_score_behind(graph: Any, state: dict[str, Any], none: float) -> None:
    """Add what makes a score of the first token's vector: BERT's pooler and the head."""
    for name, value in (
        ("first", np.array(0, dtype=np.int64)),
        ("pool.matrix", state["bert.pooler.dense.weight"].numpy().T),
        ("pool.bias", state["bert.pooler.dense.bias"].numpy()),
        ("head.matrix", state["classifier.weight"].numpy().T),
        ("head.bias", state["classifier.bias"].numpy() - np.float32(none)),
    ):
        graph.initializer.append(numpy_helper.from_array(value, name))
    graph.node.extend(
        [
            helper.make_node("Gather", [graph.output[0].name, "first"], ["token"], axis=1),
            helper.make_node("MatMul", ["token", "pool.matrix"], ["pooled"], name="pool"),
            helper.make_node("Add", ["pooled", "pool.bias"], ["shifted"]),
            helper.make_node("Tanh", ["shifted"], ["bounded"]),
            helper.make_node("MatMul", ["bounded", "head.matrix"], ["headed"], name="head"),
            helper.make_node("Add", ["headed", "head.bias"], ["score"]),
        ]
    )
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("score", onnx.TensorProto.FLOAT, ["batch_size", 1]))
