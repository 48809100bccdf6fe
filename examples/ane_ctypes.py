#!/usr/bin/env python3
"""A product on the Neural Engine from Python, through the C interface (include/millwright/ane.h).

    python3 examples/ane_ctypes.py LIBMILLWRIGHT_ANE [EMULATOR]

LIBMILLWRIGHT_ANE is build/cmake/libmillwright_ane.so (.dylib on macOS), EMULATOR
build/cmake/libmillwright_ane_emulator.so where there is no Neural Engine. Needs nothing but Python.
"""

import array
import ctypes
import struct
import sys

ROWS, COLUMNS, WIDTH = 64, 32, 64

MIL = f"""program(1.3)
[buildInfo = dict<string, string>({{{{"coremlc-component-MIL", "3510.2.1"}}}})]
{{
    func main<ios18>(tensor<fp16, [1, {COLUMNS}, 1, {WIDTH}]> x) {{
        string valid = const()[name = string("valid"), val = string("valid")];
        tensor<int32, [2]> ones = const()[name = string("ones"), val = tensor<int32, [2]>([1, 1])];
        tensor<int32, [4]> zeros = const()[name = string("zeros"), val = tensor<int32, [4]>([0, 0, 0, 0])];
        int32 one = const()[name = string("one"), val = int32(1)];
        tensor<fp16, [{ROWS}, {COLUMNS}, 1, 1]> w = const()[name = string("w"), val = tensor<fp16, [{ROWS}, {COLUMNS}, 1, 1]>(BLOBFILE(path = string("@model_path/weights/w.bin"), offset = uint64(64)))];
        tensor<fp16, [1, {ROWS}, 1, {WIDTH}]> result = conv(dilations = ones, groups = one, pad = zeros, pad_type = valid, strides = ones, weight = w, x = x)[name = string("result")];
    }} -> (result);
}}
"""


def load(path):
    """The library, with the signatures of the functions that are used here."""
    lib = ctypes.CDLL(path)
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    floats, sizes = ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_size_t)
    strings, pointers = ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_void_p)
    signatures = {
        "mw_ane_last_error": (ctypes.c_char_p, []),
        "mw_ane_open": (pointer, [ctypes.c_char_p]),
        "mw_ane_close": (None, [pointer]),
        "mw_ane_compile": (pointer, [pointer, ctypes.c_char_p, size, strings, pointers, sizes, ctypes.c_int]),
        "mw_ane_free": (None, [pointer]),
        "mw_ane_input_bytes": (ctypes.c_int64, [pointer, ctypes.c_int]),
        "mw_ane_output_bytes": (ctypes.c_int64, [pointer, ctypes.c_int]),
        "mw_ane_write_input": (ctypes.c_int, [pointer, ctypes.c_int, pointer, size]),
        "mw_ane_read_output": (ctypes.c_int, [pointer, ctypes.c_int, pointer, size]),
        "mw_ane_evaluate": (ctypes.c_int, [pointer]),
        "mw_ane_compile_count": (ctypes.c_int, []),
        "mw_ane_blob_fp16": (pointer, [floats, ctypes.c_int64, ctypes.c_int64, sizes]),
        "mw_ane_free_blob": (None, [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    lib = load(sys.argv[1])

    def checked(result, failed):
        if result == failed:
            sys.exit(lib.mw_ane_last_error().decode())
        return result

    emulator = sys.argv[2].encode() if len(sys.argv) == 3 else None
    device = checked(lib.mw_ane_open(emulator), None)

    # Small integers, whose products and sums are exact in every arithmetic.
    weights = [(r * 3 + c * 5) % 7 - 3 for r in range(ROWS) for c in range(COLUMNS)]
    values = [(c * 2 + s) % 5 - 2 for c in range(COLUMNS) for s in range(WIDTH)]
    blob_bytes = ctypes.c_size_t()
    blob = checked(lib.mw_ane_blob_fp16((ctypes.c_float * len(weights))(*weights), ROWS, COLUMNS, ctypes.byref(blob_bytes)), None)

    text = MIL.encode()
    program = checked(lib.mw_ane_compile(device, text, len(text), (ctypes.c_char_p * 1)(b"@model_path/weights/w.bin"),
                                         (ctypes.c_void_p * 1)(blob), (ctypes.c_size_t * 1)(blob_bytes.value), 1), None)
    lib.mw_ane_free_blob(blob)

    halves = struct.pack(f"<{len(values)}e", *values)
    checked(lib.mw_ane_write_input(program, 0, halves, len(halves)), -1)
    checked(lib.mw_ane_evaluate(program), -1)
    output = ctypes.create_string_buffer(lib.mw_ane_output_bytes(program, 0))
    checked(lib.mw_ane_read_output(program, 0, output, len(output)), -1)
    result = array.array("d", struct.unpack(f"<{ROWS * WIDTH}e", output.raw))

    for r in range(ROWS):
        for s in range(WIDTH):
            expected = sum(weights[r * COLUMNS + c] * values[c * WIDTH + s] for c in range(COLUMNS))
            if result[r * WIDTH + s] != expected:
                sys.exit(f"[{r}, {s}]: expected {expected}, found {result[r * WIDTH + s]}")
    # What is wrong is said, not done.
    if lib.mw_ane_write_input(program, 0, halves, len(halves) - 2) != -1:
        sys.exit("a short input was accepted")
    print(f"{ROWS}x{COLUMNS} times {COLUMNS}x{WIDTH} is right; {lib.mw_ane_compile_count()} program compiled")
    lib.mw_ane_free(program)
    lib.mw_ane_close(device)


if __name__ == "__main__":
    main()
