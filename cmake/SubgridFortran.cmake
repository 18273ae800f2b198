# Language standard, warnings and run-time checks shared by every Fortran target.
# Debug traps the floating-point exceptions too: the bridge must survive a host that does (specs of the bridge).
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

function(subgrid_fortran_target target)
  set_target_properties(${target} PROPERTIES Fortran_MODULE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/modules)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_BINARY_DIR}/modules>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/subgrid>)
  set(gnu "$<AND:$<COMPILE_LANGUAGE:Fortran>,$<Fortran_COMPILER_ID:GNU>>")
  target_compile_options(${target} PRIVATE
    $<${gnu}:-std=f2018 -Wall -Wextra -Wimplicit-interface -ffree-line-length-132>
    $<$<AND:${gnu},$<BOOL:${SUBGRID_WERROR}>>:-Werror>
    $<$<AND:${gnu},$<CONFIG:Debug>>:-g -O1 -fcheck=all -fbacktrace -ffpe-trap=invalid,zero,overflow>
    # gfortran 12 calls every first assignment to an allocatable uninitialised at -O3; Debug keeps the warning.
    $<$<AND:${gnu},$<CONFIG:Release>>:-O3 -fno-math-errno -march=native -Wno-uninitialized -Wno-maybe-uninitialized>)
endfunction()

# Both kinds from one source: FILES are written in double precision (names that end in _dp, `wp => dp`); the single-precision
# twins are the same text with _sp and `wp => sp`, in the build folder. RESULT is the list of all.
function(subgrid_both_kinds result)
  set(sources)
  foreach(file ${ARGN})
    set(double ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    get_filename_component(name ${file} NAME)
    string(REPLACE "_dp.f90" "_sp.f90" name ${name})
    set(single ${CMAKE_CURRENT_BINARY_DIR}/${name})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${double})
    file(READ ${double} text)
    string(REGEX REPLACE "(subgrid_[a-z0-9_]*)_dp" "\\1_sp" text "${text}")
    string(REPLACE "wp => dp" "wp => sp" text "${text}")
    file(CONFIGURE OUTPUT ${single} CONTENT "${text}" @ONLY)
    list(APPEND sources ${double} ${single})
  endforeach()
  set(${result} ${sources} PARENT_SCOPE)
endfunction()
