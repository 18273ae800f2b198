# The Fortran interface of NetCDF and its module file: target NetCDF::Fortran.
# Debian and Ubuntu: apt-get install libnetcdff-dev
find_program(NF_CONFIG nf-config)
if(NF_CONFIG)
  execute_process(COMMAND ${NF_CONFIG} --includedir OUTPUT_VARIABLE nf_include OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND ${NF_CONFIG} --prefix OUTPUT_VARIABLE nf_prefix OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
find_path(NetCDFFortran_INCLUDE_DIR netcdf.mod HINTS ${nf_include} PATH_SUFFIXES lib64/gfortran/modules)
find_library(NetCDFFortran_LIBRARY netcdff HINTS ${nf_prefix}/lib)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NetCDFFortran REQUIRED_VARS NetCDFFortran_LIBRARY NetCDFFortran_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install the Fortran interface of NetCDF (Debian and Ubuntu: apt-get install libnetcdff-dev)")

if(NetCDFFortran_FOUND AND NOT TARGET NetCDF::Fortran)
  add_library(NetCDF::Fortran UNKNOWN IMPORTED)
  set_target_properties(NetCDF::Fortran PROPERTIES
    IMPORTED_LOCATION "${NetCDFFortran_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${NetCDFFortran_INCLUDE_DIR}")
endif()
mark_as_advanced(NF_CONFIG NetCDFFortran_INCLUDE_DIR NetCDFFortran_LIBRARY)
