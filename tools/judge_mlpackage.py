#!/usr/bin/env python3
"""The judge of our Core ML packages: loads them with coremltools and prints what it finds.

    python3 tools/judge_mlpackage.py PACKAGE...      needs coremltools

Prints a JSON list, one object a package: "specification_version"; "ports", the description's inputs and
outputs; "functions", each with its inputs, outputs and operations as they stand in the protocol buffer
and the weight file; "canonical", whether coremltools writes the model with the same bytes, the
order of maps' entries aside; "error", why coremltools' own type rules refuse the program, or null. A value is
{"type": [dtype, shape], "bytes": n, "head": the first 4096 bytes in hexadecimal}.
"""

import contextlib
import json
import logging
import os
import sys
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
with open(os.devnull, "w") as null, contextlib.redirect_stderr(null):
    import coremltools as ct
    import numpy as np
    from coremltools import proto
    from coremltools.converters.mil.frontend.milproto import load as milproto
    from coremltools.libmilstoragepython import _BlobStorageReader as BlobReader

HEAD = 4096
MIL = proto.MIL_pb2
NAMES = {"BOOL": "bool", "STRING": "string", "FLOAT16": "fp16", "FLOAT32": "fp32", "FLOAT64": "fp64",
         "BFLOAT16": "bf16"}
PARTS = {"int4": 4, "uint1": 1, "uint2": 2, "uint3": 3, "uint4": 4, "uint6": 6}  # bits
ARRAYS = {"FLOAT16": "fp16", "FLOAT32": "fp32", "INT32": "int32"}
NUMPY = {"bool": np.bool_, "fp32": np.float32, "fp64": np.float64, "int16": np.int16, "int32": np.int32,
         "int64": np.int64, "uint16": np.uint16, "uint64": np.uint64}


def type_of(value_type):
    tensor = value_type.tensorType
    name = MIL.DataType.Name(tensor.dataType)
    assert tensor.rank == len(tensor.dimensions)
    return [NAMES.get(name, name.lower()), [d.constant.size for d in tensor.dimensions]]


class Package:
    def __init__(self, path):
        self.path = path
        self.spec = ct.utils.load_spec(path)
        self.weights = os.path.join(path, "Data", "com.apple.CoreML", "weights")
        self.reader = None

    def blob(self, offset, dtype):
        if self.reader is None:
            self.reader = BlobReader(os.path.join(self.weights, "weight.bin"))
        name = {"fp32": "float"}.get(dtype, dtype)
        data = getattr(self.reader, f"read_{name}_data")(offset)
        if dtype not in PARTS:
            return data.tobytes()
        # The reader gives each part of a byte a byte of its own.
        bits = np.unpackbits(data.reshape(-1, 1).view(np.uint8), axis=1, bitorder="little")
        return np.packbits(bits[:, :PARTS[dtype]], bitorder="little").tobytes()

    def value(self, value):
        dtype, shape = type_of(value.type)
        if value.WhichOneof("value") == "blobFileValue":
            assert value.blobFileValue.fileName == "@model_path/weights/weight.bin"
            data = self.blob(value.blobFileValue.offset, dtype)
        else:
            tensor = value.immediateValue.tensor
            values = getattr(tensor, tensor.WhichOneof("value")).values
            if dtype == "string":
                data = values[0].encode()
            else:
                data = values if isinstance(values, bytes) else np.array(values, NUMPY[dtype]).tobytes()
        return {"type": [dtype, shape], "bytes": len(data), "head": data[:HEAD].hex()}

    def operation(self, op):
        def binding(b):
            return b.name if b.WhichOneof("binding") == "name" else self.value(b.value)
        return {"op": op.type,
                "inputs": {key: [binding(b) for b in a.arguments] for key, a in op.inputs.items()},
                "attributes": {key: self.value(v) for key, v in op.attributes.items()},
                "outputs": [[o.name, *type_of(o.type)] for o in op.outputs]}

    def function(self, function):
        block = function.block_specializations[function.opset]
        return {"opset": function.opset,
                "inputs": [[i.name, *type_of(i.type)] for i in function.inputs],
                "outputs": list(block.outputs),
                "operations": [self.operation(op) for op in block.operations]}

    def ports(self):
        def port(feature):
            array = feature.type.multiArrayType
            name = proto.FeatureTypes_pb2.ArrayFeatureType.ArrayDataType.Name(array.dataType)
            return [feature.name, ARRAYS[name], list(array.shape)]
        description = self.spec.description
        described = {f.name: f for f in description.functions} or {"main": description}
        return {name: {"inputs": [port(f) for f in d.input], "outputs": [port(f) for f in d.output]}
                for name, d in described.items()}

    def canonical(self):
        with open(os.path.join(self.path, "Data", "com.apple.CoreML", "model.mlmodel"), "rb") as file:
            return sorted(file.read()) == sorted(self.spec.SerializeToString(deterministic=True))

    def error(self):
        try:
            milproto.load(self.spec, self.spec.specificationVersion, self.weights)
        except Exception as problem:  # pylint: disable=broad-except; whatever it is, it is the verdict
            return f"{type(problem).__name__}: {problem}"
        return None

    def judge(self):
        functions = self.spec.mlProgram.functions
        return {"specification_version": self.spec.specificationVersion, "ports": self.ports(),
                "functions": {name: self.function(functions[name]) for name in functions},
                "canonical": self.canonical(), "error": self.error()}


if __name__ == "__main__":
    with open(os.devnull, "w") as quiet, contextlib.redirect_stderr(quiet):
        verdicts = [Package(path).judge() for path in sys.argv[1:]]
    print(json.dumps(verdicts))
