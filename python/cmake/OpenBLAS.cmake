# OpenBLAS from the scipy-openblas32 wheel: OPENBLAS_LIBRARY. Its symbols start with scipy_, so it cannot clash with
# the BLAS of NumPy or of the system. The library is installed beside _core.
execute_process(COMMAND "${Python_EXECUTABLE}" -c "import scipy_openblas32 as b; print(b.get_lib_dir(), b.get_library(), sep=';')"
                OUTPUT_STRIP_TRAILING_WHITESPACE OUTPUT_VARIABLE OPENBLAS_WHERE COMMAND_ERROR_IS_FATAL ANY)
list(GET OPENBLAS_WHERE 0 OPENBLAS_DIRECTORY)
list(GET OPENBLAS_WHERE 1 OPENBLAS_NAME)
set(OPENBLAS_LIBRARY "${OPENBLAS_DIRECTORY}/lib${OPENBLAS_NAME}.so")
if(NOT EXISTS "${OPENBLAS_LIBRARY}")
  message(FATAL_ERROR "[build] scipy-openblas32 must bring lib${OPENBLAS_NAME}.so. Nothing is at ${OPENBLAS_LIBRARY}.")
endif()

# What is installed beside _core: older wheels bring the Fortran runtime too.
file(GLOB OPENBLAS_LIBRARIES "${OPENBLAS_DIRECTORY}/*.so*")
