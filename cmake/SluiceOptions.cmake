# Compiler, linker and cache settings that hold for every target of Sluice.

find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE)
  # A precompiled header is only cacheable if its time stamps do not matter.
  set(_launcher ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${SLUICE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${_launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${_launcher})
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

find_program(SLUICE_LLD NAMES ld.lld-22 ld.lld
             HINTS ${LLVM_TOOLS_BINARY_DIR})
if(SLUICE_LLD)
  add_link_options(-fuse-ld=${SLUICE_LLD})
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter)

if(SLUICE_SANITIZE)
  # LLVM and MLIR themselves are not instrumented: vptr checks need their type
  # information to be complete, and containers that cross the border would be
  # annotated on one side only.
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-sanitize=vptr
                      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
  # The layout of llvm::Statistic depends on NDEBUG: it must be the library's.
  if(NOT LLVM_ENABLE_ASSERTIONS)
    add_compile_definitions(NDEBUG)
  endif()
endif()

# The fuzz targets' engine asks for feedback from all of Sluice's own code.
if(SLUICE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

# Tools share the libraries' precompiled header, which -fPIE would not match.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)

# Installed and built tools find LLVM's libraries where CMake found them.
set(CMAKE_BUILD_RPATH ${LLVM_LIBRARY_DIR})
set(CMAKE_INSTALL_RPATH ${LLVM_LIBRARY_DIR})

# Debian ships MLIR's shared library but does not say so in MLIRConfig.cmake.
set(MLIR_LINK_MLIR_DYLIB ON)

file(GLOB _omp_include ${LLVM_LIBRARY_DIR}/clang/*/include/omp.h)
list(GET _omp_include 0 _omp_header)
get_filename_component(SLUICE_LIBOMP_INCLUDE ${_omp_header} DIRECTORY)
