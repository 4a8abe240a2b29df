/* A header-only module; SwiftPM wants one source. */
#include "include/vector_seeds.h"
