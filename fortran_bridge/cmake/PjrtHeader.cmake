# Finds pjrt_c_api.h, the C header of the plug-in interface, which the Python package xla-cpu-pjrt carries (SUBGRID_PJRT_INCLUDE_DIR), and, for
# tests and benchmarks only, the CPU plug-in of the package lammps-jax-pjrt-cpu (SUBGRID_PJRT_PLUGIN_CPU).
if(Python3_EXECUTABLE)
  set(SUBGRID_PYTHON ${Python3_EXECUTABLE} CACHE FILEPATH "Python that has the PJRT packages")
endif()
find_program(SUBGRID_PYTHON NAMES python3 PATHS ${PROJECT_SOURCE_DIR}/.venv/bin NO_DEFAULT_PATH)
find_program(SUBGRID_PYTHON NAMES python3)
if(NOT SUBGRID_PJRT_INCLUDE_DIR)
  if(SUBGRID_PYTHON)
    execute_process(
      COMMAND ${SUBGRID_PYTHON} -c "import importlib.metadata as m; print(next(f.locate().parent for f in m.files('xla-cpu-pjrt') if f.name == 'pjrt_c_api.h'))"
      OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  endif()
  if(SUBGRID_PYTHON AND NOT failed)
    set(SUBGRID_PJRT_INCLUDE_DIR ${found} CACHE PATH "Folder of pjrt_c_api.h" FORCE)
  endif()
endif()
if(NOT EXISTS "${SUBGRID_PJRT_INCLUDE_DIR}/pjrt_c_api.h")
  message(FATAL_ERROR "pjrt_c_api.h was not found (SUBGRID_PJRT_INCLUDE_DIR is '${SUBGRID_PJRT_INCLUDE_DIR}'): type "
    "`python3 -m pip install xla-cpu-pjrt==0.0.1`, or pass -DSUBGRID_PJRT_INCLUDE_DIR=<folder of pjrt_c_api.h>.")
endif()

if(NOT SUBGRID_PJRT_PLUGIN_CPU AND SUBGRID_PYTHON)
  execute_process(
    COMMAND ${SUBGRID_PYTHON} -c "import importlib.metadata as m; print(next(f.locate() for f in m.files('lammps-jax-pjrt-cpu') if f.name.endswith('.so')))"
    OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(SUBGRID_PJRT_PLUGIN_CPU ${found} CACHE FILEPATH "CPU plug-in for tests and benchmarks" FORCE)
  endif()
endif()
