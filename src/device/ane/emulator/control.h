// How tests steer the emulator: C functions that it exports beside Apple's. No Apple library has
// them.
#pragma once

/* NOLINTBEGIN(modernize-*,readability-identifier-naming): this is C. */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What an injected fault does, where the entry can do it; otherwise it fails the plain way. */
enum {
  MWEMU_FAIL = 1,        /* returns null, NO with an NSError, or a code other than 0 */
  MWEMU_FAIL_MUTELY = 2, /* returns NO and sets no NSError */
  MWEMU_ERROR_YES = 3,   /* does its work and returns YES, but sets an NSError */
  MWEMU_LIE = 4          /* returns YES and does nothing */
};

/* Forgets compiled programs, counts and faults, and is a Mac with an M4 and macOS 15 again. Objects
 * live on. */
void mwemu_reset(void);
/* "m1" to "m5" with variants, and the version of macOS, "15.5". 0, or -1 for another chip. */
int mwemu_set_machine(const char* chip, const char* macos);
/* Compilations until the compiler fails; the largest program in bytes of weights that can be
 * loaded. */
void mwemu_set_limits(int compilations, uint64_t weight_bytes);

/* Entries: all functions and methods that the emulator has, by number or by name: "CFDataCreate",
 * "-[_ANEInMemoryModel loadWithQoS:options:error:]". A name is null beyond the last number. */
const char* mwemu_entry_name(int number);
/* Calls of an entry since the last reset; -1 for an unknown name. */
int64_t mwemu_calls(const char* name);
/* The call of `name` that is the `nth` from now on (1: the next) does as `fault` says; `nth` 0:
 * every call. -1 for an unknown name. */
int mwemu_inject(const char* name, int nth, int fault);
/* Takes a class or a method away, as an older or newer macOS might. */
int mwemu_remove(const char* name);

/* Objects that were created and not freed; uses of objects that were freed before; objects that
 * were autoreleased without a pool. */
int64_t mwemu_live_objects(void);
int64_t mwemu_misuses(void);
int64_t mwemu_unpooled(void);
/* Programs compiled since the last reset, and loaded now. */
int64_t mwemu_compilations(void);
int64_t mwemu_loaded_programs(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
/* NOLINTEND(modernize-*,readability-identifier-naming) */
