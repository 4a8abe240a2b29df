/* The C ABI of ntkswift: the contract between the Swift core and every caller.
 *
 * Conventions
 *   - Every function that can fail returns a status code (ntk_status) and, where `error` is not NULL, fills it.
 *   - Sizes are int64_t. Strides count elements, not bytes, and may be negative or zero.
 *   - The core never writes to inputs, never keeps a pointer after the call, and never traps on bad arguments.
 *   - Handles are numbers, not pointers: a destroyed or invented handle is an error, not a crash.
 */
#ifndef NTKSWIFT_H
#define NTKSWIFT_H

#include "ntkswift/common.h"
#include "ntkswift/training_record.h"
#include "ntkswift/system.h"
#include "ntkswift/random.h"
#include "ntkswift/activations.h"
#include "ntkswift/architecture.h"
#include "ntkswift/kernel.h"
#include "ntkswift/finite_width.h"
#include "ntkswift/hierarchy.h"
#include "ntkswift/autoencoder.h"
#include "ntkswift/network_training.h"
#include "ntkswift/linear_algebra.h"
#include "ntkswift/kernel_methods.h"
#include "ntkswift/operators.h"
#include "ntkswift/solvers.h"
#include "ntkswift/curvature.h"
#include "ntkswift/two_layer.h"
#include "ntkswift/spectra.h"
#include "ntkswift/bottleneck.h"

#endif
