# FFTW 3 in double precision, with its Fortran 2003 interface file: target FFTW::FFTW.
# Debian and Ubuntu: apt-get install libfftw3-dev
find_path(FFTW_INCLUDE_DIR fftw3.f03)
find_library(FFTW_LIBRARY fftw3)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(FFTW REQUIRED_VARS FFTW_LIBRARY FFTW_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install FFTW 3 (Debian and Ubuntu: apt-get install libfftw3-dev)")

if(FFTW_FOUND AND NOT TARGET FFTW::FFTW)
  add_library(FFTW::FFTW UNKNOWN IMPORTED)
  set_target_properties(FFTW::FFTW PROPERTIES
    IMPORTED_LOCATION "${FFTW_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${FFTW_INCLUDE_DIR}")
endif()
mark_as_advanced(FFTW_INCLUDE_DIR FFTW_LIBRARY)
