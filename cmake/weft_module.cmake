# weft_module(NAME USES lower modules... LINKS libraries...)
#
# Declares src/NAME as the library weft_NAME, with its *_test.cpp files as weft_NAME_tests, its
# *_simulation_test.cpp files as weft_NAME_simulation_tests and, in the fuzz preset, each *_fuzz.cpp as a
# program of its own. A module may only use modules that are declared
# before it, so a cycle cannot be written; tools/check.py compares real includes with USES.

set_property(GLOBAL PROPERTY WEFT_MODULES "")

function(weft_module name)
  cmake_parse_arguments(M "" "" "USES;LINKS" ${ARGN})
  get_property(declared GLOBAL PROPERTY WEFT_MODULES)
  foreach(used IN LISTS M_USES)
    if(NOT used IN_LIST declared)
      message(FATAL_ERROR "module ${name} uses ${used}, which is not declared before it")
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY WEFT_MODULES ${name})

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${name}/*.cpp)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench|/main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(simulations ${tests})
  list(FILTER tests EXCLUDE REGEX "_simulation_test\\.cpp$")
  list(FILTER simulations INCLUDE REGEX "_simulation_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")

  list(TRANSFORM M_USES PREPEND weft_ OUTPUT_VARIABLE used_targets)
  if(sources)
    add_library(weft_${name} STATIC ${sources})
    target_link_libraries(weft_${name} PUBLIC ${used_targets} ${M_LINKS})
    target_include_directories(weft_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    weft_precompile(weft_${name})
    weft_unite(weft_${name})
  else()
    add_library(weft_${name} INTERFACE)
    target_link_libraries(weft_${name} INTERFACE ${used_targets} ${M_LINKS})
    target_include_directories(weft_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
  endif()

  weft_test_program(${name} tests ${tests})
  # Thousands of seeds, so these are optimised: an inline function that a test file would compile without
  # optimisation also stands in for the library's copy of it.
  weft_test_program(${name} simulation_tests ${simulations})

  if(WEFT_FUZZ)
    if(NOT TARGET weft_fuzzers)
      add_custom_target(weft_fuzzers)
    endif()
    foreach(fuzzer IN LISTS fuzzers)
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE weft_${name})
      target_compile_options(${target} PRIVATE -fsanitize=fuzzer)
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      add_dependencies(weft_fuzzers ${target})
    endforeach()
  endif()
endfunction()

function(weft_test_program name suffix)
  if(ARGN)
    set(program weft_${name}_${suffix})
    add_executable(${program} ${ARGN})
    target_link_libraries(${program} PRIVATE weft_${name} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${program} PRIVATE WEFT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    weft_precompile(${program})
    weft_unite(${program})
    add_test(NAME ${name}_${suffix} COMMAND ${program})
  endif()
endfunction()

# Test files are compiled without optimisation, also in the release preset: what they test is the shipped
# object files, and a test that is compiled twice as fast is written twice as gladly.
# WEFT_TEST_FLAGS adds what a preset wants of them: the release preset's hold no debug information, a quarter of
# their cost, since a test is stepped through in the dev preset.
set(WEFT_TEST_FLAGS "" CACHE STRING "Further compiler flags of test files")
set(WEFT_TEST_OPTIONS -O0 -U_FORTIFY_SOURCE ${WEFT_TEST_FLAGS})

# One precompiled header per flavour (values only; values and coroutines) and set of flags, shared by all
# modules. A header only fits where all flags agree.
function(weft_precompile target)
  if(NOT TARGET weft_pch_std)
    file(WRITE ${CMAKE_BINARY_DIR}/pch.cpp "")
    foreach(flavour std asio)
      foreach(suffix "" "_tests")
        set(pch weft_pch_${flavour}${suffix})
        add_library(${pch} OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/pch.cpp)
        target_link_libraries(${pch} PUBLIC fmt::fmt Threads::Threads)
        target_precompile_headers(${pch} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch_${flavour}.h)
      endforeach()
      target_compile_options(weft_pch_${flavour}_tests PRIVATE ${WEFT_TEST_OPTIONS})
      target_link_libraries(weft_pch_${flavour}_tests PUBLIC GTest::gmock)
      target_precompile_headers(weft_pch_${flavour}_tests PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch_tests.h)
    endforeach()
  endif()
  set(flavour asio)
  if(target MATCHES "^weft_(base|crypto|contracts|storage|mapping)(_tests)?$")
    set(flavour std)
  endif()
  if(target MATCHES "_tests$" AND NOT target MATCHES "_simulation_tests$")
    target_compile_options(${target} PRIVATE ${WEFT_TEST_OPTIONS})
    target_precompile_headers(${target} REUSE_FROM weft_pch_${flavour}_tests)
  else()
    target_precompile_headers(${target} REUSE_FROM weft_pch_${flavour})
  endif()
endfunction()

# Compiles neighbouring files of a target as one translation unit: most of what a file costs is the
# instantiation of the same coroutine templates as in the files beside it. Figures: docs/build.md. A file
# still has to compile alone, as it does in the dev preset.
set(WEFT_UNITY 0 CACHE STRING "Most files of one translation unit; 0 compiles each file alone")
function(weft_unite target)
  if(NOT WEFT_UNITY)
    return()
  endif()
  # Units of about the same size: 11 files of at most 10 are 6 and 5, not 10 and 1.
  get_target_property(files ${target} SOURCES)
  list(LENGTH files count)
  math(EXPR units "(${count} + ${WEFT_UNITY} - 1) / ${WEFT_UNITY}")
  math(EXPR batch "(${count} + ${units} - 1) / ${units}")
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It tells headers from the file that is compiled, and takes each file of a unit for a header.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()
