# The functions by which Sluice's folders declare what they hold.

# The MLIR core, parsed once: header parsing is what a build spends its time on.
function(sluice_add_pch)
  add_library(SluicePCH STATIC ${PROJECT_SOURCE_DIR}/cmake/Pch.cpp)
  target_precompile_headers(SluicePCH PRIVATE ${PROJECT_SOURCE_DIR}/cmake/Pch.h)
endfunction()

# sluice_add_library(Name SOURCES a.cpp ... [LINK_LIBS ...] [DEPENDS ...])
# A static library that uses MLIR through its shared library and nothing else.
function(sluice_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK_LIBS;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_precompile_headers(${name} REUSE_FROM SluicePCH)
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS} Sluice::MLIR)
  add_dependencies(${name} SluiceTableGen ${ARG_DEPENDS})
  set_property(GLOBAL APPEND PROPERTY SLUICE_LIBS ${name})
endfunction()

# sluice_add_tool(name SOURCES a.cpp ... [LINK_LIBS ...])
function(sluice_add_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_precompile_headers(${name} REUSE_FROM SluicePCH)
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} Sluice::MLIR)
  add_dependencies(${name} SluiceTableGen)
  set_property(GLOBAL APPEND PROPERTY SLUICE_TOOLS ${name})
endfunction()

# sluice_add_unittest(Name a.cpp ... [LINK_LIBS ...])
function(sluice_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                        ${PROJECT_BINARY_DIR}/test/unit)
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} GTest::gtest_main)
  set_property(GLOBAL APPEND PROPERTY SLUICE_UNITTESTS ${name})
endfunction()
