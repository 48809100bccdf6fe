# How a folder of src/ becomes a library, its tests a program, and a model header a binary.

add_library(millwright_options INTERFACE)
target_include_directories(millwright_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(millwright_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                    -Wno-sign-conversion -Wno-missing-field-initializers)
# g++ 12 sees writes out of bounds in inlined code of fmt 9 that cannot happen.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(millwright_options INTERFACE -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict)
endif()
if(MILLWRIGHT_WERROR)
  target_compile_options(millwright_options INTERFACE -Werror)
endif()
if(MILLWRIGHT_FUZZ)
  # The libraries report their coverage to libFuzzer; tests/fuzz adds its main function.
  set(MILLWRIGHT_SANITIZE "fuzzer-no-link,address,undefined")
endif()
if(MILLWRIGHT_SANITIZE)
  target_compile_options(millwright_options INTERFACE -fsanitize=${MILLWRIGHT_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(millwright_options INTERFACE -fsanitize=${MILLWRIGHT_SANITIZE})
  # GCC warns of values in instrumented code that no path leaves uninitialised.
  target_compile_options(millwright_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

# The files of TARGET compiled together, eight at once, where MILLWRIGHT_UNITY says so. What a file keeps to
# itself must then bear a name that no other file of the target gives to something of its own; apart stay
# those that Highway compiles several times, and those that each tell the same story of another thing.
function(millwright_compile_together target)
  if(NOT MILLWRIGHT_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    get_filename_component(path "${source}" ABSOLUTE)
    file(STRINGS "${path}" of_highway REGEX "hwy/foreach_target.h" LIMIT_COUNT 1)
    if(of_highway OR path MATCHES "/(src/mil/ops/|src/kernels/|src/train/network|tests/differential/specs_)")
      set_source_files_properties("${source}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

# millwright_library(NAME [SHARED] [FOLDER path] [SUBFOLDERS ...] DEPS ...): all .cc files of src/NAME.
# SHARED: the objects can also go into a shared library, which exports nothing of them. Files named
# no_*.cc are twins of a platform part and are added where the part is absent; those named *_httplib.cc
# are added by millwright_web, *_ncurses.cc by millwright_terminal.
function(millwright_library name)
  cmake_parse_arguments(ARG "SHARED" "FOLDER" "DEPS;SUBFOLDERS" ${ARGN})
  if(NOT ARG_FOLDER)
    set(ARG_FOLDER ${name})
  endif()
  set(patterns "${CMAKE_SOURCE_DIR}/src/${ARG_FOLDER}/*.cc")
  foreach(sub ${ARG_SUBFOLDERS})
    list(APPEND patterns "${CMAKE_SOURCE_DIR}/src/${ARG_FOLDER}/${sub}/*.cc")
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test\\.cc|/no_[a-z0-9_]+\\.cc|/gemm_(onednn|accelerate)\\.cc|_(httplib|ncurses)\\.cc|/main\\.cc)$")
  if(sources)
    add_library(mw_${name} STATIC ${sources})
    millwright_compile_together(mw_${name})
    set(scope PUBLIC)
    if(ARG_SHARED)
      set_target_properties(mw_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden)
    endif()
  else()
    add_library(mw_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(mw_${name} ${scope} millwright_options)
  foreach(dep ${ARG_DEPS})
    if(TARGET mw_${dep})
      target_link_libraries(mw_${name} ${scope} mw_${dep})
    else()
      target_link_libraries(mw_${name} ${scope} ${dep})
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY MILLWRIGHT_FOLDERS ${name})
  set_property(GLOBAL PROPERTY MILLWRIGHT_TESTS_${name} "${tests}")
endfunction()

# The code of TARGET at -O1.
function(millwright_compile_lightly target)
  target_compile_options(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O1>)
endfunction()

# millwright_shared_library(NAME FOLDER path DEPS ...): the .cc files of src/<path> as libmillwright_NAME,
# which exports only what says so. DEPS are SHARED libraries of millwright_library.
function(millwright_shared_library name)
  cmake_parse_arguments(ARG "" "FOLDER" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${ARG_FOLDER}/*.cc")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  add_library(millwright_${name} SHARED ${sources})
  millwright_compile_together(millwright_${name})
  set_target_properties(millwright_${name} PROPERTIES CXX_VISIBILITY_PRESET hidden)
  list(TRANSFORM ARG_DEPS PREPEND mw_)
  target_link_libraries(millwright_${name} PRIVATE millwright_options ${ARG_DEPS})
endfunction()

# The libraries that tokenizers stand on; found by file, since Debian and Homebrew describe them
# differently. Only src/text includes their headers.
function(millwright_text_libraries name)
  foreach(entry sentencepiece:sentencepiece_processor.h pcre2-8:pcre2.h utf8proc:utf8proc.h)
    string(REPLACE ":" ";" parts ${entry})
    list(GET parts 0 library)
    list(GET parts 1 header)
    string(MAKE_C_IDENTIFIER "MILLWRIGHT_${library}" variable)
    find_library(${variable}_LIBRARY ${library} REQUIRED)
    find_path(${variable}_INCLUDE_DIR ${header} REQUIRED)
    mark_as_advanced(${variable}_LIBRARY ${variable}_INCLUDE_DIR)
    target_include_directories(mw_${name} SYSTEM PRIVATE "${${variable}_INCLUDE_DIR}")
    target_link_libraries(mw_${name} PUBLIC "${${variable}_LIBRARY}")
  endforeach()
endfunction()

# The GEMM of this machine: Accelerate on macOS, oneDNN where it is installed, else only Highway's.
function(millwright_gemm_twin name)
  set(dir "${CMAKE_SOURCE_DIR}/src/math")
  if(APPLE)
    target_sources(mw_${name} PRIVATE "${dir}/gemm_accelerate.cc")
    target_link_libraries(mw_${name} PUBLIC "-framework Accelerate")
  elseif(OneDNN_FOUND)
    target_sources(mw_${name} PRIVATE "${dir}/gemm_onednn.cc")
    target_link_libraries(mw_${name} PUBLIC OneDNN::dnnl)
  else()
    target_sources(mw_${name} PRIVATE "${dir}/no_gemm_library.cc")
  endif()
  # An object of its own, which the tests of the twin link without.
  set_source_files_properties("${dir}/gemm_accelerate.cc" "${dir}/gemm_onednn.cc" "${dir}/no_gemm_library.cc"
                              PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# The web server of library NAME: the files of assets/ in the program, and its *_httplib.cc, or where
# cpp-httplib is absent no_web.cc.
function(millwright_web name)
  set(folder "${CMAKE_SOURCE_DIR}/src/app/dashboard/web")
  set(script "${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake")
  set(generated "${CMAKE_BINARY_DIR}/generated/app/dashboard/web/assets.cc")
  file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/generated/app/dashboard/web")
  file(GLOB assets CONFIGURE_DEPENDS "${folder}/assets/*")
  add_custom_command(OUTPUT "${generated}"
    COMMAND "${CMAKE_COMMAND}" "-DFOLDER=${folder}/assets" "-DOUTPUT=${generated}" -P "${script}"
    DEPENDS ${assets} "${script}" VERBATIM)
  set_source_files_properties("${generated}" PROPERTIES SKIP_LINTING ON SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(mw_${name} PRIVATE "${generated}")
  if(HTTPLIB_FOUND)
    target_sources(mw_${name} PRIVATE "${folder}/router_httplib.cc")
    target_link_libraries(mw_${name} PUBLIC PkgConfig::HTTPLIB)
  else()
    target_sources(mw_${name} PRIVATE "${folder}/no_web.cc")
  endif()
endfunction()

# The terminal of library NAME: ncurses with wide characters, or where that is absent no_terminal.cc.
function(millwright_terminal name)
  set(folder "${CMAKE_SOURCE_DIR}/src/app/dashboard/terminal")
  set(CURSES_NEED_NCURSES TRUE)
  set(CURSES_NEED_WIDE TRUE)
  find_package(Curses QUIET)
  message(STATUS "ncurses: ${CURSES_FOUND}")
  if(NOT CURSES_FOUND)
    target_sources(mw_${name} PRIVATE "${folder}/no_terminal.cc")
    return()
  endif()
  target_sources(mw_${name} PRIVATE "${folder}/terminal_ncurses.cc")
  set_source_files_properties("${folder}/terminal_ncurses.cc" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)  # its macros
  target_include_directories(mw_${name} SYSTEM PRIVATE ${CURSES_INCLUDE_DIRS})
  target_compile_definitions(mw_${name} PRIVATE NCURSES_WIDECHAR=1)
  target_link_libraries(mw_${name} PUBLIC ${CURSES_LIBRARIES})
endfunction()

# One binary per model header, build/<model>/millwright of the build in build/cmake, and <model>/millwright
# in the folder of any other build; only app/main.cc is compiled per model.
function(millwright_models)
  set(folder "${CMAKE_BINARY_DIR}")
  if(folder STREQUAL "${CMAKE_SOURCE_DIR}/build/cmake")
    set(folder "${CMAKE_SOURCE_DIR}/build")
  endif()
  file(GLOB headers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/models/*.h")
  foreach(header ${headers})
    get_filename_component(model "${header}" NAME_WE)
    add_executable(millwright_${model} EXCLUDE_FROM_ALL "${CMAKE_SOURCE_DIR}/src/app/main.cc")
    target_compile_definitions(millwright_${model} PRIVATE "MILLWRIGHT_MODEL_HEADER=\"${header}\"")
    target_link_libraries(millwright_${model} PRIVATE mw_app)
    set_target_properties(millwright_${model} PROPERTIES OUTPUT_NAME millwright
      RUNTIME_OUTPUT_DIRECTORY "${folder}/${model}")
  endforeach()
endfunction()

# The unit tests of a folder as one program, registered test by test.
function(millwright_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  millwright_compile_together(test_${name})
  target_include_directories(test_${name} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_link_libraries(test_${name} PRIVATE ${ARG_DEPS} millwright_options GTest::gmock GTest::gtest_main)
  millwright_compile_lightly(test_${name})
  if(TARGET test_headers)
    target_precompile_headers(test_${name} REUSE_FROM test_headers)
  endif()
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}" PROPERTIES TIMEOUT 600 ENVIRONMENT "OMP_WAIT_POLICY=PASSIVE")
endfunction()

# Every operation of ops.def has its file, with a documentation that names its source, and a test
# program. Configuring fails where one is missing, and so does the build: it configures anew when
# ops.def has changed.
function(millwright_check_ops)
  set(list "${CMAKE_SOURCE_DIR}/src/mil/ops/ops.def")
  set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${list}")
  file(STRINGS "${list}" lines REGEX "^OP\\(")
  set(problems "")
  foreach(line ${lines})
    string(REGEX REPLACE "^OP\\(([a-z0-9_]+)\\).*$" "\\1" op "${line}")
    set(source "src/mil/ops/${op}.cc")
    set(program "tests/mil/${op}.mil")
    if(NOT EXISTS "${CMAKE_SOURCE_DIR}/${source}")
      string(APPEND problems "\n  ${op}: ${source} is missing")
    else()
      file(STRINGS "${CMAKE_SOURCE_DIR}/${source}" sources REGEX "Source:")
      if(NOT sources)
        string(APPEND problems "\n  ${op}: the doc in ${source} names no source")
      endif()
    endif()
    if(NOT EXISTS "${CMAKE_SOURCE_DIR}/${program}")
      string(APPEND problems "\n  ${op}: ${program} is missing")
    endif()
  endforeach()
  if(problems)
    message(FATAL_ERROR "Operations of src/mil/ops/ops.def without a file, a doc or a test:${problems}")
  endif()
endfunction()

# docs/mil.md is written from its introduction and the files of src/mil/ops: `ninja docs_mil` writes it,
# and the build fails where it is out of date.
function(millwright_mil_docs)
  set(pages "${CMAKE_SOURCE_DIR}/docs/mil.intro.md" "${CMAKE_SOURCE_DIR}/src/mil/ops/ops.def"
            "${CMAKE_SOURCE_DIR}/docs/mil.md")
  add_executable(mil_docs tools/mil_docs.cc)
  target_link_libraries(mil_docs PRIVATE mw_mil)
  add_custom_target(docs_mil COMMAND mil_docs ${pages} VERBATIM)
  set(stamp "${CMAKE_BINARY_DIR}/docs_mil.checked")
  add_custom_command(OUTPUT "${stamp}" COMMAND mil_docs --check ${pages}
                     COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}" DEPENDS mil_docs ${pages} VERBATIM)
  add_custom_target(docs_mil_is_current ALL DEPENDS "${stamp}")
endfunction()
