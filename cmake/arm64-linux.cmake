# Cross-compiling for 64-bit Arm Linux on Debian; tests run under qemu. The libraries are those that
# .ci/arm64_root put into MILLWRIGHT_ARM64_ROOT, a variable of CMake's cache or of the environment.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(MILLWRIGHT_ARM64_ROOT "$ENV{MILLWRIGHT_ARM64_ROOT}" CACHE PATH "Where .ci/arm64_root put the libraries")
# CMake reads this file again for each check that it compiles.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MILLWRIGHT_ARM64_ROOT)
set(CMAKE_PREFIX_PATH "${MILLWRIGHT_ARM64_ROOT}/usr")
set(CMAKE_FIND_ROOT_PATH "${MILLWRIGHT_ARM64_ROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Some packages keep a header or two for each architecture; the C library's own stay the compiler's.
set(CMAKE_CXX_FLAGS_INIT "-idirafter ${MILLWRIGHT_ARM64_ROOT}/usr/include/aarch64-linux-gnu")
# Linker scripts name libraries of both folders.
set(usr_lib "${MILLWRIGHT_ARM64_ROOT}/usr/lib/aarch64-linux-gnu")
set(lib "${MILLWRIGHT_ARM64_ROOT}/lib/aarch64-linux-gnu")
set(link_flags "-L${usr_lib} -L${lib} -Wl,-rpath-link,${usr_lib}:${lib}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "${link_flags}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${link_flags}")
# The cross compiler's C library comes first, or one that Debian's arm64 packages left beside it would
# be paired with a loader of another version: threads then never start.
set(CMAKE_CROSSCOMPILING_EMULATOR
    "qemu-aarch64-static;-L;/usr/aarch64-linux-gnu;-E;LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib:${usr_lib}:${lib}")
