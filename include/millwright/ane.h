/* Programs in MIL on the Apple Neural Engine, from C and from whatever calls C.
 *
 * A device is opened once; programs are compiled on it, their inputs written, evaluated, their outputs read. All
 * errors are reported: functions that return int give 0 on success and -1 on failure, functions that return a pointer
 * give NULL, and mw_ane_last_error() says why. Handles that were freed, indices out of range, null pointers and wrong
 * sizes are errors, never undefined behaviour. Nothing is printed. A device and its programs may be used from several
 * threads, one call at a time. */
#ifndef MILLWRIGHT_ANE_H
#define MILLWRIGHT_ANE_H

/* NOLINTBEGIN(modernize-*): this is C. */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct mw_ane_device mw_ane_device;
typedef struct mw_ane_program mw_ane_program;

/* Why the last call of this thread failed; "" if none did. Valid until the thread's next call. */
const char* mw_ane_last_error(void);

/* Opens the Neural Engine. `library`: a shared library that stands in for Apple's frameworks, as the emulator does;
 * NULL: those of macOS. */
mw_ane_device* mw_ane_open(const char* library);

/* Frees the device and all programs that were compiled on it. NULL is ignored. */
void mw_ane_close(mw_ane_device* device);

/* What the device found on this machine, a line each; valid until it is closed. */
const char* mw_ane_describe(mw_ane_device* device);

/* Compiles and loads the program of `mil_bytes` bytes of text, whose function is the first one, with `count` weight
 * files: `paths` as the text names them ("@model_path/weights/w.bin"), their bytes and sizes. The bytes are copied.
 * `count` 0: no weights, the arrays are not read. */
mw_ane_program* mw_ane_compile(mw_ane_device* device, const char* mil, size_t mil_bytes, const char* const* paths,
                               const uint8_t* const* files, const size_t* file_bytes, int count);

/* Unloads and frees. NULL is ignored. */
void mw_ane_free(mw_ane_program* program);

/* Inputs and outputs, in the order of the text; -1 or NULL on failure. Names are valid until the program is freed. */
int mw_ane_input_count(mw_ane_program* program);
int mw_ane_output_count(mw_ane_program* program);
int64_t mw_ane_input_bytes(mw_ane_program* program, int index);
int64_t mw_ane_output_bytes(mw_ane_program* program, int index);
const char* mw_ane_input_name(mw_ane_program* program, int index);
const char* mw_ane_output_name(mw_ane_program* program, int index);

/* Copies a whole input in, or a whole output out: row-major elements of the declared dtype. `bytes` must be the size
 * of the port. An output cannot be read before an evaluation, or after a failed one. */
int mw_ane_write_input(mw_ane_program* program, int index, const void* data, size_t bytes);
int mw_ane_read_output(mw_ane_program* program, int index, void* data, size_t bytes);

/* Runs to the end. */
int mw_ane_evaluate(mw_ane_program* program);

/* Programs that this process compiled since it began or since the last reset. Programs that the system knows already
 * are not compiled and do not count. The process's budget is not affected by a reset. */
int mw_ane_compile_count(void);
void mw_ane_reset_compile_count(void);
/* How many programs a process may compile. -1 on failure. */
int mw_ane_compile_budget(mw_ane_device* device);

/* Weight files with one blob, at offset 64, as BLOBFILE constants want them: `rows` x `columns` values, row-major.
 * The file's size goes to *bytes. Free with mw_ane_free_blob.
 *   fp16        rounded to nearest even
 *   transposed  the same, columns x rows
 *   int8        values as they are
 *   quantized   int8, symmetric, one scale a row: scales[row] = max |w| / 127 rounded to fp16 (1 for a row of zeros),
 *               value = w / scale, rounded half away from zero and clamped to [-127, 127]. For
 *               constexpr_affine_dequantize with axis 0, zero point 0 and these scales. */
uint8_t* mw_ane_blob_fp16(const float* values, int64_t rows, int64_t columns, size_t* bytes);
uint8_t* mw_ane_blob_fp16_transposed(const float* values, int64_t rows, int64_t columns, size_t* bytes);
uint8_t* mw_ane_blob_int8(const int8_t* values, int64_t rows, int64_t columns, size_t* bytes);
uint8_t* mw_ane_blob_quantized(const float* values, int64_t rows, int64_t columns, float* scales, size_t* bytes);
void mw_ane_free_blob(uint8_t* blob);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
/* NOLINTEND(modernize-*) */
#endif
