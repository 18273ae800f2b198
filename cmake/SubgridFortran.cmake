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
