# Debian packages, one for each component of SluiceInstall.cmake:
#
#   cpack --config build/release/CPackConfig.cmake -B build/release/packages
#
# A .deb can only be made where dpkg is; `-G TGZ` makes archives anywhere.

set(SLUICE_PACKAGE_CONTACT "The Sluice project <maintainers@sluice.invalid>"
    CACHE STRING "Whom the packages name as their maintainer: Name <address>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compiler for mixture-of-experts layers")
set(CPACK_PACKAGE_VENDOR "The Sluice project")
set(CPACK_PACKAGE_CONTACT "${SLUICE_PACKAGE_CONTACT}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

set(CPACK_COMPONENTS_ALL tools development)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# The libraries that the programs are linked with are found by dpkg-shlibdeps, LLVM's
# only sometimes: the link to it in LLVM's folder is of a package that says nothing
# about it. A linker is what sluicec starts; LLVM's is tried first.
set(_llvm ${LLVM_VERSION_MAJOR})
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME sluice)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS
    "libllvm${_llvm} (>= 1:${_llvm}.${LLVM_VERSION_MINOR}), lld-${_llvm} | lld | binutils")
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "sluice-dev, c-compiler")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
"Sluice compiles networks in which a router decides, per token, which experts
run, to native code that does no work for an absent expert. This package has
the compiler (sluicec), the runner and reference interpreter (sluice-run), the
pass driver (sluice-opt), and the compiler as a C library (libsluice).")

# CMake's package of LLVM wants the programs of all its packages to exist.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME sluice-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "sluice (= ${PROJECT_VERSION})")
foreach(_package libmlir-${_llvm}-dev mlir-${_llvm}-tools llvm-${_llvm}-dev
                 llvm-${_llvm}-tools libomp-${_llvm}-dev)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", ${_package}")
endforeach()
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"Headers, libraries and CMake's package of Sluice, for programs that embed it:
the compiler, its dialects and its interpreter in C++, and the C library.")

include(CPack)
