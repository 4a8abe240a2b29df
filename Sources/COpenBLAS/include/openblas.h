/* BLAS and LAPACK prototypes: the part of OpenBLAS that ntkswift calls.
 *
 * The library is the scipy-openblas32 wheel: 32-bit integers, every symbol prefixed with `scipy_` so that it cannot clash
 * with the OpenBLAS of NumPy or of the system. This header is the one place that knows this; callers use the plain names.
 * A build against another OpenBLAS defines NTK_BLAS_PREFIX as empty or as its own prefix.
 */
#ifndef NTK_OPENBLAS_H
#define NTK_OPENBLAS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Binds the plain name of this header to the symbol of the library. */
#define NTK_BLAS_TEXT_(x) #x
#define NTK_BLAS_TEXT(x) NTK_BLAS_TEXT_(x)
#ifdef NTK_BLAS_UNPREFIXED
#define NTK_BLAS_NAME(name) __asm__(NTK_BLAS_TEXT(__USER_LABEL_PREFIX__) name)
#else
#define NTK_BLAS_NAME(name) __asm__(NTK_BLAS_TEXT(__USER_LABEL_PREFIX__) "scipy_" name)
#endif

/* The numbers of CBLAS's enumerations. */
static const int32_t BLAS_ROW_MAJOR = 101, BLAS_COL_MAJOR = 102;
static const int32_t BLAS_NO_TRANS = 111, BLAS_TRANS = 112;
static const int32_t BLAS_UPPER = 121, BLAS_LOWER = 122;
static const int32_t BLAS_NON_UNIT = 131, BLAS_UNIT = 132;
static const int32_t BLAS_LEFT = 141, BLAS_RIGHT = 142;

/* ---------------------------------------------------------------- the library itself */

void openblas_set_num_threads(int32_t threads) NTK_BLAS_NAME("openblas_set_num_threads");
int32_t openblas_get_num_threads(void) NTK_BLAS_NAME("openblas_get_num_threads");
const char *openblas_get_config(void) NTK_BLAS_NAME("openblas_get_config");
const char *openblas_get_corename(void) NTK_BLAS_NAME("openblas_get_corename");

/* ---------------------------------------------------------------- level 1 and 2 */

double cblas_ddot(int32_t n, const double *x, int32_t incx, const double *y, int32_t incy) NTK_BLAS_NAME("cblas_ddot");
double cblas_dnrm2(int32_t n, const double *x, int32_t incx) NTK_BLAS_NAME("cblas_dnrm2");
void cblas_daxpy(int32_t n, double alpha, const double *x, int32_t incx, double *y, int32_t incy) NTK_BLAS_NAME("cblas_daxpy");
void cblas_dgemv(int32_t order, int32_t trans, int32_t m, int32_t n, double alpha, const double *a, int32_t lda,
                 const double *x, int32_t incx, double beta, double *y, int32_t incy) NTK_BLAS_NAME("cblas_dgemv");
void cblas_dsymv(int32_t order, int32_t uplo, int32_t n, double alpha, const double *a, int32_t lda, const double *x,
                 int32_t incx, double beta, double *y, int32_t incy) NTK_BLAS_NAME("cblas_dsymv");

/* ---------------------------------------------------------------- level 3 */

void cblas_dgemm(int32_t order, int32_t transa, int32_t transb, int32_t m, int32_t n, int32_t k, double alpha, const double *a,
                 int32_t lda, const double *b, int32_t ldb, double beta, double *c, int32_t ldc) NTK_BLAS_NAME("cblas_dgemm");
void cblas_sgemm(int32_t order, int32_t transa, int32_t transb, int32_t m, int32_t n, int32_t k, float alpha, const float *a,
                 int32_t lda, const float *b, int32_t ldb, float beta, float *c, int32_t ldc) NTK_BLAS_NAME("cblas_sgemm");
void cblas_dsyrk(int32_t order, int32_t uplo, int32_t trans, int32_t n, int32_t k, double alpha, const double *a, int32_t lda,
                 double beta, double *c, int32_t ldc) NTK_BLAS_NAME("cblas_dsyrk");
void cblas_ssyrk(int32_t order, int32_t uplo, int32_t trans, int32_t n, int32_t k, float alpha, const float *a, int32_t lda,
                 float beta, float *c, int32_t ldc) NTK_BLAS_NAME("cblas_ssyrk");
void cblas_dsyr2k(int32_t order, int32_t uplo, int32_t trans, int32_t n, int32_t k, double alpha, const double *a, int32_t lda,
                  const double *b, int32_t ldb, double beta, double *c, int32_t ldc) NTK_BLAS_NAME("cblas_dsyr2k");
void cblas_dtrsm(int32_t order, int32_t side, int32_t uplo, int32_t transa, int32_t diag, int32_t m, int32_t n, double alpha,
                 const double *a, int32_t lda, double *b, int32_t ldb) NTK_BLAS_NAME("cblas_dtrsm");
void cblas_dtrmm(int32_t order, int32_t side, int32_t uplo, int32_t transa, int32_t diag, int32_t m, int32_t n, double alpha,
                 const double *a, int32_t lda, double *b, int32_t ldb) NTK_BLAS_NAME("cblas_dtrmm");

/* ---------------------------------------------------------------- LAPACK (column-major, Fortran convention)
 * The trailing size_t are the lengths of the character arguments. `info`: 0 fine, < 0 bad argument, > 0 numerical failure. */

void lapack_dpotrf(const char *uplo, const int32_t *n, double *a, const int32_t *lda, int32_t *info, size_t uplo_length)
    NTK_BLAS_NAME("dpotrf_");
/* Reduces the first nb columns of a symmetric matrix to tridiagonal form (the step of dsytrd). */
void lapack_dlatrd(const char *uplo, const int32_t *n, const int32_t *nb, double *a, const int32_t *lda, double *e, double *tau,
                   double *w, const int32_t *ldw, size_t uplo_length) NTK_BLAS_NAME("dlatrd_");
/* The same for all columns, unblocked. */
void lapack_dsytd2(const char *uplo, const int32_t *n, double *a, const int32_t *lda, double *d, double *e, double *tau,
                   int32_t *info, size_t uplo_length) NTK_BLAS_NAME("dsytd2_");
/* Eigenvalues of a tridiagonal matrix. */
void lapack_dsterf(const int32_t *n, double *d, double *e, int32_t *info) NTK_BLAS_NAME("dsterf_");
/* Eigenvalues and eigenvectors of a tridiagonal matrix, by divide and conquer. */
void lapack_dstedc(const char *compz, const int32_t *n, double *d, double *e, double *z, const int32_t *ldz, double *work,
                   const int32_t *lwork, int32_t *iwork, const int32_t *liwork, int32_t *info, size_t compz_length)
    NTK_BLAS_NAME("dstedc_");
/* Applies the orthogonal matrix of the tridiagonal reduction to c. */
void lapack_dormtr(const char *side, const char *uplo, const char *trans, const int32_t *m, const int32_t *n, const double *a,
                   const int32_t *lda, const double *tau, double *c, const int32_t *ldc, double *work, const int32_t *lwork,
                   int32_t *info, size_t side_length, size_t uplo_length, size_t trans_length) NTK_BLAS_NAME("dormtr_");

#ifdef __cplusplus
}
#endif
#endif
