/* Spectra of kernels on the sphere S^(d-1).
 * Columns are contiguous, float64. Eigenvalues are with respect to the uniform probability measure. */
#ifndef NTKSWIFT_SPECTRA_H
#define NTKSWIFT_SPECTRA_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Gauss-Legendre rule over the angle, 0 to pi, ascending and symmetric: angles, weights, cosines, sines (n x 1 each), and the first half
 * of angles and weights to 32 digits, packed in 4 ((n + 1) / 2) numbers. */
int32_t ntk_angle_rule(const ntk_matrix *angles, const ntk_matrix *weights, const ntk_matrix *cosines, const ntk_matrix *sines,
                       const ntk_matrix *packed, ntk_error *error);

/* Eigenvalues of a zonal kernel from its values at the nodes of ntk_angle_rule (n x 1, with the packed rule), one per
 * frequency; norms: root of the sum of squares of each one's terms, which times the values' relative error is its rounding error. */
int32_t ntk_zonal_spectrum(const ntk_matrix *values, const ntk_matrix *packed, int64_t dimension, const ntk_matrix *eigenvalues,
                           const ntk_matrix *norms, const ntk_call *call, ntk_error *error);

/* out (frequencies x m): Legendre polynomials P_k of dimension d at the cosines of m angles in 0 ... pi. */
int32_t ntk_legendre_polynomials(int64_t dimension, const ntk_matrix *angles, const ntk_matrix *out, ntk_error *error);

/* Taylor coefficients 0 to 3 of f at 0 and their errors (4 x 1 each). Row r of values: f(scales[r] (1 - cos(pi j / (m - 1))) / 2). */
int32_t ntk_endpoint_expansion(const ntk_matrix *values, const ntk_matrix *scales, const ntk_matrix *coefficients,
                               const ntk_matrix *errors, ntk_error *error);

/* Energies of a function per frequency (column), from its values (n x 1) at random unit vectors (n x d). */
int32_t ntk_frequency_energies(const ntk_matrix *points, const ntk_matrix *values, const ntk_matrix *energies, const ntk_call *call,
                               ntk_error *error);

/* Kernel ridge regression predicted from a spectrum: eigenvalues, multiplicities, energies (levels x 1), numbers of samples (m x 1);
 * ridges, errors (m x 1), learned (m x levels, contiguous rows). */
int32_t ntk_learning_curve(const ntk_matrix *eigenvalues, const ntk_matrix *multiplicities, const ntk_matrix *energies,
                           double tail_trace, double tail_energy, const ntk_matrix *samples, double ridge, double noise,
                           const ntk_matrix *ridges, const ntk_matrix *errors, const ntk_matrix *learned, ntk_error *error);

#ifdef __cplusplus
}
#endif
#endif
