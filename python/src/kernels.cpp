// Infinite-width kernels: from inputs, from an earlier kernel, and their derivatives.
#include <nanobind/stl/tuple.h>

#include <string>
#include <tuple>

#include "architecture.h"

using namespace ntkswift;

namespace {

using OptionalInput = std::optional<Input>;
// The arrays by name (None where one is absent), and missed_tolerance, a float.
using Kernels = nb::typed<nb::dict, nb::str, nb::any>;
using OptionalOutput = std::optional<Output>;

// The outputs of one call: what is wanted, its arrays, their views.
struct Results {
  Kernels arrays;
  ntk_kernel_result views{};

  void want(const char *name, ntk_matrix &view, NewArray made) {
    view = made.view;
    arrays[name] = made.array;
  }
  void want(const char *name, ntk_matrix &view, const Output &out) {
    view = matrix(out, name);
    arrays[name] = nb::cast(out, nb::rv_policy::reference);
  }
};

// Makes the arrays that the caller did not bring, after asking for room for them.
struct Wanted {
  bool nngp, ntk, cov;
  const OptionalOutput &out_nngp, &out_ntk;
};

Results prepare(const Wanted &wanted, int64_t rows, int64_t cols, bool symmetric, ntk_dtype dtype, int64_t memory_limit, Call &call) {
  const int64_t matrices = (wanted.nngp && !wanted.out_nngp) + (wanted.ntk && !wanted.out_ntk);
  const int64_t one = matrix_bytes(rows, cols, dtype, "kernel");
  int64_t bytes = 0;
  if (__builtin_mul_overflow(one, matrices, &bytes)) bytes = INT64_MAX;
  call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "kernel")));
  Results results;
  if (wanted.nngp && wanted.out_nngp) results.want("nngp", results.views.nngp, *wanted.out_nngp);
  if (wanted.nngp && !wanted.out_nngp) results.want("nngp", results.views.nngp, new_matrix(rows, cols, dtype));
  if (wanted.ntk && wanted.out_ntk) results.want("ntk", results.views.ntk, *wanted.out_ntk);
  if (wanted.ntk && !wanted.out_ntk) results.want("ntk", results.views.ntk, new_matrix(rows, cols, dtype));
  if (wanted.cov) {
    results.want("cov1", results.views.cov1, new_vector(rows, NTK_FLOAT64));
    results.arrays["cov2"] = nb::none();
    if (!symmetric) results.want("cov2", results.views.cov2, new_vector(cols, NTK_FLOAT64));
  }
  return results;
}

// Where the rows of x1 and x2 stand in the set of inputs that both are parts of.
using Places = std::optional<std::pair<int64_t, int64_t>>;

ntk_kernel_source inputs(const Input &x1, const OptionalInput &x2, const Places &places = std::nullopt) {
  ntk_kernel_source source{};
  source.x1 = array(x1, "x1");
  source.x2 = array(x2, "x2");
  source.x1_is_x2 = !x2;
  source.width = entry_size(source.x1);
  source.has_places = places.has_value();
  if (places) std::tie(source.place1, source.place2) = *places;
  return source;
}

int64_t second_rows(const ntk_kernel_source &source) { return source.x2.data ? source.x2.shape[0] : source.x1.shape[0]; }

// The bytes of a plan as the core reads them, while the Python object lives.
ntk_bytes plan_bytes(const nb::bytes &plan) {
  // The core only reads.
  return {static_cast<uint8_t *>(const_cast<void *>(static_cast<const void *>(plan.c_str()))), static_cast<int64_t>(plan.size())};
}

Kernels run(const Architecture &architecture, const ntk_kernel_source &source, const std::optional<nb::bytes> &plan,
                Results &results, Call &call) {
  UserFunctions functions{architecture, call};
  double missed = 0;
  results.views.missed_tolerance = &missed;
  const ntk_bytes bytes = plan ? plan_bytes(*plan) : ntk_bytes{};
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_kernel(architecture.handle(), &source, plan ? &bytes : nullptr, UserFunctions::evaluate, &functions, &results.views,
                      how, error);
  });
  results.arrays["missed_tolerance"] = missed;
  return results.arrays;
}

Kernels kernel(const Architecture &architecture, const Input &x1, const OptionalInput &x2, bool nngp, bool ntk, bool cov,
               const OptionalOutput &out_nngp, const OptionalOutput &out_ntk, const std::optional<nb::bytes> &plan,
               const Places &places, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_kernel_source source = inputs(x1, x2, places);
  const int64_t blocks = architecture.output_blocks(source.width);
  Results results = prepare({nngp, ntk, cov, out_nngp, out_ntk}, checked_product(source.x1.shape[0], blocks),
                            checked_product(second_rows(source), blocks), !x2, static_cast<ntk_dtype>(source.x1.dtype), memory_limit, call);
  return run(architecture, source, plan, results, call);
}

Kernels kernel_diagonal(const Architecture &architecture, const Input &x, bool nngp, bool ntk, const std::optional<nb::bytes> &plan,
                        int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_kernel_source source = inputs(x, std::nullopt);
  const int64_t rows = checked_product(source.x1.shape[0], architecture.output_blocks(source.width));
  Results results;
  if (nngp) results.want("nngp", results.views.cov1, new_vector(rows, NTK_FLOAT64));
  if (ntk) results.want("ntk", results.views.ntk_diagonal, new_vector(rows, NTK_FLOAT64));
  return run(architecture, source, plan, results, call);
}

nb::bytes kernel_plan(const Architecture &architecture, const Input &x1, const OptionalInput &x2, bool nngp, bool ntk,
                      int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_kernel_source source = inputs(x1, x2);
  UserFunctions functions{architecture, call};
  ntk_bytes plan{};
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_kernel_plan(architecture.handle(), &source, nngp, ntk, UserFunctions::evaluate, &functions, how, &plan, error);
  });
  nb::bytes result(plan.data, static_cast<size_t>(plan.size));
  ntk_bytes_free(&plan);
  return result;
}

std::tuple<int64_t, bool, bool, bool> describe_plan(const nb::bytes &plan) {
  const ntk_bytes bytes = plan_bytes(plan);
  ntk_plan_info info{};
  check([&](ntk_error *error) { return ntk_kernel_plan_describe(&bytes, &info, error); });
  return {info.input_width, info.dtype == NTK_FLOAT32, info.has_nngp != 0, info.has_ntk != 0};
}

Kernels kernel_from_kernel(const Architecture &architecture, const Input &nngp, const OptionalInput &ntk, const Input &cov1,
                            const OptionalInput &cov2, int64_t width, bool is_gaussian, bool x1_is_x2, bool get_ntk,
                            int64_t blocks, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  ntk_kernel_source source{};
  source.nngp = matrix(nngp, "nngp");
  source.ntk = matrix(ntk, "ntk");
  source.cov1 = matrix(cov1, "cov1");
  source.cov2 = matrix(cov2, "cov2");
  source.width = width;
  source.is_gaussian = is_gaussian;
  source.x1_is_x2 = x1_is_x2;
  const OptionalOutput none;
  Results results = prepare({true, get_ntk, true, none, none}, checked_product(source.nngp.rows, blocks),
                            checked_product(source.nngp.cols, blocks), !cov2, static_cast<ntk_dtype>(source.nngp.dtype), memory_limit, call);
  return run(architecture, source, std::nullopt, results, call);
}

Kernels kernel_tangent(const Architecture &architecture, const Input &x1, const OptionalInput &x2, const Input &dense_W,
                        const Input &dense_b, bool nngp, bool ntk, int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_kernel_source source = inputs(x1, x2);
  const std::pair<const double *, int64_t> weights = doubles(dense_W, "dense_W"), biases = doubles(dense_b, "dense_b");
  if (weights.second != biases.second) {
    throw nb::value_error("[kernel_tangent] dense_W and dense_b must have one element per Dense layer. Received two lengths.");
  }
  const int64_t blocks = architecture.output_blocks(source.width);
  const OptionalOutput none;
  Results results = prepare({nngp, ntk, false, none, none}, checked_product(source.x1.shape[0], blocks), checked_product(second_rows(source), blocks),
                            !x2, NTK_FLOAT64, memory_limit, call);
  call.run([&](const ntk_call *how, ntk_error *error) {
    return ntk_kernel_tangent(architecture.handle(), &source, weights.first, biases.first, weights.second, &results.views, how, error);
  });
  return results.arrays;
}

std::tuple<int64_t, int32_t> kernel_memory(const Architecture &architecture, int64_t n1, int64_t n2, int64_t width, bool float32,
                                           int32_t threads, int64_t memory_limit, nb::object) {
  const ntk_call call{threads, 0, memory_limit, nullptr, nullptr};
  int64_t bytes = 0;
  int32_t used = 0;
  check([&](ntk_error *error) {
    return ntk_kernel_memory(architecture.handle(), n1, n2, width, float32 ? NTK_FLOAT32 : NTK_FLOAT64, &call, &bytes, &used, error);
  });
  return {bytes, used};
}

}  // namespace

void bind_kernels(nb::module_ &m) {
  m.def("kernel", &kernel, nb::arg("architecture"), nb::arg("x1"), nb::arg("x2").none(), nb::arg("nngp"), nb::arg("ntk"),
        nb::arg("cov"), nb::arg("out_nngp").none() = nb::none(), nb::arg("out_ntk").none() = nb::none(), nb::arg("plan").none() = nb::none(),
        nb::arg("places").none() = nb::none(), NTK_CALL_ARGUMENTS,
        "Kernels between the inputs x1 and x2 (None: x1): a dict with the wanted of nngp, ntk, cov1 and cov2.");
  m.def("kernel_diagonal", &kernel_diagonal, nb::arg("architecture"), nb::arg("x"), nb::arg("nngp"), nb::arg("ntk"),
        nb::arg("plan").none() = nb::none(), NTK_CALL_ARGUMENTS,
        "Kernels of each input with itself: a dict with the wanted of nngp and ntk, float64.");
  m.def("kernel_plan", &kernel_plan, nb::arg("architecture"), nb::arg("x1"), nb::arg("x2").none(), nb::arg("nngp"), nb::arg("ntk"),
        NTK_CALL_ARGUMENTS, "What `kernel` decides from all inputs together, as bytes.");
  m.def("describe_plan", &describe_plan, nb::arg("plan"),
        "Numbers of one input, whether it is for float32, for the NNGP, for the NTK; ValueError where the bytes are no plan.");
  m.def("kernel_from_kernel", &kernel_from_kernel, nb::arg("architecture"), nb::arg("nngp"), nb::arg("ntk").none(),
        nb::arg("cov1"), nb::arg("cov2").none(), nb::arg("width"), nb::arg("is_gaussian"), nb::arg("x1_is_x2"), nb::arg("get_ntk"),
        nb::arg("output_blocks"), NTK_CALL_ARGUMENTS, "Kernels of a network that follows another one whose kernel is given: nngp, ntk, cov1 and cov2.");
  m.def("kernel_tangent", &kernel_tangent, nb::arg("architecture"), nb::arg("x1"), nb::arg("x2").none(), nb::arg("dense_W"),
        nb::arg("dense_b"), nb::arg("nngp"), nb::arg("ntk"), NTK_CALL_ARGUMENTS,
        "Directional derivative of the kernels: Dense layer k has its W_std changed by dense_W[k] and its b_std by dense_b[k].");
  m.def("kernel_memory", &kernel_memory, nb::arg("architecture"), nb::arg("n1"), nb::arg("n2"), nb::arg("width"), nb::arg("float32"),
        NTK_CALL_ARGUMENTS, "Bytes that `kernel` would allocate beside its results, and the threads it would use.");
}
