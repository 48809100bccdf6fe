"""Holds the programs of tests/mil to coremltools' own type and value inference.

Reads a JSON list of programs from the file in argv[1]; each is built anew with coremltools' builder, every
input being a constant, so that coremltools infers the type of each result and, where it knows how, the
value. Prints a JSON object with a list of differences and of the operations whose types and values were
compared.
"""
import json
import sys
import warnings

warnings.filterwarnings("ignore")

import coremltools as ct  # noqa: E402
import numpy as np  # noqa: E402
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402
from coremltools.converters.mil.mil import Function, types  # noqa: E402

# Results, "<program>:<identifier>", whose value coremltools infers against its own documentation.
WRONG_VALUES = {
    "cast:to_int8",  # wraps around; Core ML saturates
    "concat:interleaved",  # not interleaved
    "concat:interleaved_rows",
    "scatter_along_axis:add",  # replaces
}

# Results that coremltools documents, but fails to infer.
NOT_INFERRED = {
    "cumsum:exclusive",
    "cumsum:both",
    "flatten2d:front",  # of no axes on one side it makes a float
    "flatten2d:back",
    "layer_norm:all",  # its own default does not become a constant
    "matmul:vector_right",  # looks for a second axis
    "topk:every",  # takes k = -1 for a length
}


def to_numpy(dtype, shape, values):
    if dtype == "string":
        return values
    builtin = types.string_to_builtin(dtype)
    return np.array(values, dtype=np.float64).reshape(shape).astype(types.nptype_from_builtin(builtin))


def to_constant(spec):
    value = to_numpy(spec["dtype"], spec["shape"], spec["values"])
    if spec["dtype"] == "bool" and not spec["shape"]:
        return bool(value)
    return value if isinstance(value, str) or value.shape else value[()]


class Judge:
    def __init__(self):
        self.differences = []
        self.typed = set()
        self.valued = set()

    def argument(self, values, argument):
        if "value" in argument:
            return values[argument["value"]]
        if "tuple" in argument:
            return tuple(values[name] for name in argument["tuple"])
        return to_constant(argument["literal"])

    def compare(self, where, op, declared, var, value, expected):
        dtype = types.builtin_to_string(var.dtype)
        shape = [int(d) for d in var.shape]
        if (dtype, shape) != (declared["dtype"], declared["shape"]):
            self.differences.append(f"{where}: coremltools infers {dtype} {shape}, declared is {declared}")
            return
        self.typed.add(op)
        if value is None or expected is None:
            return
        found = np.asarray(value, dtype=np.float64).ravel()
        wanted = np.asarray(expected, dtype=np.float64)
        # Its values are rounded to fp16 at every step of its formulas.
        scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1.0)
        if not np.allclose(found, wanted, rtol=4e-3, atol=2e-3 * scale, equal_nan=True):
            self.differences.append(f"{where}: coremltools computes {found.tolist()}, expected {wanted.tolist()}")
            return
        self.valued.add(op)

    def operation(self, program, values, operation):
        op = operation["op"]
        arguments = {key: self.argument(values, a) for key, a in operation["arguments"].items()}
        if op == "const":
            results = mb.const(val=arguments["val"])
        elif op.startswith("constexpr_") and "shape" in arguments:
            with Function({}, opset_version=ct.target.iOS16):
                results = getattr(mb, op)(**arguments)
        else:
            results = getattr(mb, op)(**arguments)
        results = list(results) if isinstance(results, (list, tuple)) else [results]
        inferred = [var.val for var in results]
        if op.startswith("constexpr_"):
            known = results[0].op.materialized_val_inference()
            inferred = list(known) if isinstance(known, tuple) else [known]
        for declared, var, value in zip(operation["results"], results, inferred):
            values[declared["id"]] = var
            expected = program["expected"].get(declared["id"])
            if f"{program['name']}:{declared['id']}" in WRONG_VALUES:
                expected = None
            where = f"{program['name']}: {op} ({declared['id']})"
            self.compare(where, op, declared, var, value, expected)

    def program(self, program):
        with Function({}, opset_version=ct.target.iOS18):
            values = {}
            for spec in program["inputs"]:
                values[spec["id"]] = mb.const(val=to_constant(spec))
            for operation in program["operations"]:
                if f"{program['name']}:{operation['results'][0]['id']}" in NOT_INFERRED:
                    continue
                try:
                    self.operation(program, values, operation)
                except Exception as error:  # what it raises is the finding
                    where = f"{program['name']}: {operation['op']} ({operation['results'][0]['id']})"
                    self.differences.append(f"{where}: coremltools refuses: {error}")


def main():
    judge = Judge()
    with open(sys.argv[1], encoding="utf-8") as file:
        for program in json.load(file):
            judge.program(program)
    print(json.dumps({"differences": judge.differences, "typed": sorted(judge.typed),
                      "valued": sorted(judge.valued)}))


if __name__ == "__main__":
    main()
