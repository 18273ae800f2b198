# `cmake --install` puts libraries, module files, the C header and the CMake package in place.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/subgrid)

set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME subgrid_bridge)
install(TARGETS subgrid_common subgrid_bridge subgrid_bridge_shared subgrid_coupling EXPORT subgridTargets)
install(DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/modules/ $<TARGET_PROPERTY:subgrid_common,Fortran_MODULE_DIRECTORY>/
  $<TARGET_PROPERTY:subgrid_coupling,Fortran_MODULE_DIRECTORY>/
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/subgrid FILES_MATCHING PATTERN "*.mod")
install(FILES include/subgrid_c.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/subgrid)
install(EXPORT subgridTargets NAMESPACE subgrid:: DESTINATION ${package_dir})
configure_package_config_file(cmake/subgridConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/subgridConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/subgridConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/subgridConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/subgridConfigVersion.cmake
  DESTINATION ${package_dir})
