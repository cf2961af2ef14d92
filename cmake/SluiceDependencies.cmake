# What Sluice's libraries need besides each other, as targets. Sluice's own build
# and SluiceConfig.cmake, the installed package, both include this file, so that
# no path of the machine that built Sluice is in the package.
#
#   Sluice::OpenMP   LLVM's OpenMP library, for the runtime
#   Sluice::MLIR     the shared libraries of MLIR and LLVM with their headers; only
#                    where find_package(MLIR) was called

if(NOT TARGET Sluice::OpenMP)
  # Debian's libomp-22-dev has it beside LLVM's libraries.
  find_library(SLUICE_LIBOMP NAMES omp
               HINTS ${LLVM_LIBRARY_DIR} /usr/lib/llvm-22/lib)
  mark_as_advanced(SLUICE_LIBOMP)
  if(SLUICE_LIBOMP)
    add_library(Sluice::OpenMP UNKNOWN IMPORTED)
    set_target_properties(Sluice::OpenMP PROPERTIES
                          IMPORTED_LOCATION ${SLUICE_LIBOMP})
  endif()
endif()

if(MLIR_FOUND AND NOT TARGET Sluice::MLIR)
  add_library(Sluice::MLIR INTERFACE IMPORTED)
  set_target_properties(Sluice::MLIR PROPERTIES
    INTERFACE_COMPILE_FEATURES cxx_std_17
    INTERFACE_LINK_LIBRARIES "MLIR;LLVM"
    INTERFACE_INCLUDE_DIRECTORIES "${MLIR_INCLUDE_DIRS};${LLVM_INCLUDE_DIRS}")
endif()
