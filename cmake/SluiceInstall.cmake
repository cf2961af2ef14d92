# What `cmake --install` copies: programs, headers, libraries and the CMake package
# that describes them (SluiceConfig.cmake.in). Nothing in it names a folder of the
# installation, so that it can be moved.
#
# Two components, which are two Debian packages (SluicePackage.cmake): `tools`, all
# that compiling and running models needs, and `development`.

include(CMakePackageConfigHelpers)
set(_cmake_dir lib/cmake/Sluice)
# Not called cmake: find_package would look there, for whom the programs of a build
# are in PATH, and the package is complete only where it is installed.
set(_package_dir ${PROJECT_BINARY_DIR}/package)

# sluicec links these archives into the models that it compiles; it looks for them
# beside its own bin/.
set(_runtime SluiceRuntime SluiceArtifact)
get_target_property(_aliased SluiceRuntimeEmbedded ALIASED_TARGET)
if(NOT _aliased)
  list(APPEND _runtime SluiceRuntimeEmbedded)
endif()
get_property(_libs GLOBAL PROPERTY SLUICE_LIBS)
get_property(_tools GLOBAL PROPERTY SLUICE_TOOLS)

# Sluice::IR reads better than Sluice::SluiceIR; SluiceToLinalg keeps its name.
foreach(_target ${_runtime} ${_libs} SluiceConversion SluiceC)
  if(NOT _target MATCHES "^SluiceTo[A-Z]")
    string(REGEX REPLACE "^Sluice" "" _name ${_target})
    set_target_properties(${_target} PROPERTIES EXPORT_NAME ${_name})
  endif()
endforeach()

install(TARGETS ${_runtime} EXPORT SluiceRuntimeTargets
        ARCHIVE DESTINATION lib COMPONENT tools
        INCLUDES DESTINATION include)
install(TARGETS ${_libs} SluiceConversion EXPORT SluiceTargets
        ARCHIVE DESTINATION lib COMPONENT development
        INCLUDES DESTINATION include)
install(TARGETS ${_tools} EXPORT SluiceTargets
        RUNTIME DESTINATION bin COMPONENT tools)
install(TARGETS SluiceC EXPORT SluiceCTargets
        LIBRARY DESTINATION lib COMPONENT tools NAMELINK_COMPONENT development
        INCLUDES DESTINATION include)
foreach(_export SluiceCTargets SluiceRuntimeTargets SluiceTargets)
  install(EXPORT ${_export} NAMESPACE Sluice:: DESTINATION ${_cmake_dir}
          COMPONENT development)
endforeach()

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/SluiceConfig.cmake.in
  ${_package_dir}/SluiceConfig.cmake
  INSTALL_DESTINATION ${_cmake_dir}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may change any interface.
write_basic_package_version_file(
  ${_package_dir}/SluiceConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${_package_dir}/SluiceConfig.cmake
              ${_package_dir}/SluiceConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/SluiceDependencies.cmake
        DESTINATION ${_cmake_dir} COMPONENT development)
configure_file(${PROJECT_SOURCE_DIR}/cmake/sluice.pc.in
               ${_package_dir}/sluice.pc @ONLY)
install(FILES ${_package_dir}/sluice.pc
        DESTINATION lib/pkgconfig COMPONENT development)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION include
        COMPONENT development
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
# mlir_tablegen's declarations; the definitions are in the libraries.
install(DIRECTORY ${PROJECT_BINARY_DIR}/include/ DESTINATION include
        COMPONENT development
        FILES_MATCHING PATTERN "*.h.inc" PATTERN "CMakeFiles" EXCLUDE)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
        DESTINATION share/doc/sluice COMPONENT tools)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION share/doc/sluice
        COMPONENT tools FILES_MATCHING PATTERN "*.md")
