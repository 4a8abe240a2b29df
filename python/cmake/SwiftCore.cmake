# The Swift core: the target `swiftcore` runs SwiftPM, `swiftcore_static` is what to link. SwiftPM decides what to recompile.
find_program(SWIFT swift REQUIRED)

execute_process(COMMAND "${SWIFT}" -print-target-info OUTPUT_VARIABLE TARGET_INFO COMMAND_ERROR_IS_FATAL ANY)
string(JSON SWIFT_RESOURCES GET "${TARGET_INFO}" paths runtimeResourcePath)
string(JSON SWIFT_TRIPLE GET "${TARGET_INFO}" target triple)
string(REGEX REPLACE "-.*" "" SWIFT_ARCHITECTURE "${SWIFT_TRIPLE}")
set(SWIFT_STATIC "${SWIFT_RESOURCES}_static/linux")
if(NOT EXISTS "${SWIFT_STATIC}/libswiftCore.a")
  message(FATAL_ERROR "[build] the Swift toolchain must bring its static standard library. Nothing is at ${SWIFT_STATIC}.")
endif()

# One folder for all builds of a checkout, so that Swift is compiled once for the editable install, the wheel and the tests.
set(SWIFT_SCRATCH "${ROOT}/.build" CACHE PATH "SwiftPM scratch folder")
set(SWIFT_CORE "${SWIFT_SCRATCH}/release/libntkcore.a")

# scikit-build sets CC=gcc, which SwiftPM would take over and fail on -fblocks. NTKSWIFT_OPENBLAS_DIR concerns only test
# targets; under build isolation it changes at every run and would recompile everything.
add_custom_target(swiftcore
  COMMAND ${CMAKE_COMMAND} -E env --unset=CC --unset=CXX --unset=CFLAGS --unset=CXXFLAGS --unset=LDFLAGS
          --unset=NTKSWIFT_OPENBLAS_DIR
          "${SWIFT}" build -c release --product ntkcore --package-path "${ROOT}" --scratch-path "${SWIFT_SCRATCH}"
  BYPRODUCTS "${SWIFT_CORE}" USES_TERMINAL VERBATIM)

# The order matters: a static library comes before what it needs.
add_library(swiftcore_static INTERFACE)
target_link_libraries(swiftcore_static INTERFACE
  "${SWIFT_CORE}" "${OPENBLAS_LIBRARY}" "${SWIFT_STATIC}/${SWIFT_ARCHITECTURE}/swiftrt.o"
  "-L${SWIFT_STATIC}" -lswiftSynchronization -lswiftGlibc -lswiftCore pthread dl m)
