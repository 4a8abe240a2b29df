#include "openblas.h"  /* a target needs one source file; this one also checks that the header stands alone */
