# What `cmake --install` copies besides the tools (see sluice_add_tool): the
# headers, the libraries, and in lib/ the archives that sluicec links into the
# models that it compiles, which it looks for beside its own bin/.

get_property(_libs GLOBAL PROPERTY SLUICE_LIBS)
install(TARGETS ${_libs} ARCHIVE DESTINATION lib)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION include
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
# mlir_tablegen's headers.
install(DIRECTORY ${PROJECT_BINARY_DIR}/include/ DESTINATION include
        FILES_MATCHING PATTERN "*.inc" PATTERN "CMakeFiles" EXCLUDE)

foreach(_runtime SluiceRuntime SluiceRuntimeEmbedded SluiceArtifact)
  if(TARGET ${_runtime})
    get_target_property(_aliased ${_runtime} ALIASED_TARGET)
    if(NOT _aliased)
      install(TARGETS ${_runtime} ARCHIVE DESTINATION lib)
    endif()
  endif()
endforeach()

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION share/doc/sluice)
