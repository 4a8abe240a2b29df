// Solvers of linear systems with symmetric operators.
#include "operators.h"

using namespace ntkswift;

namespace {

// (name, summary) of every solver in the core's table.
nb::list solvers() {
  nb::list table;
  for (int32_t i = 0; i < ntk_solver_count(); ++i) {
    ntk_solver_info info{};
    check([&](ntk_error *error) { return ntk_solver_describe(i, &info, error); });
    table.append(nb::make_tuple(nb::str(info.name), nb::str(info.summary)));
  }
  return table;
}

// The place of the solver for an operator of that size.
int32_t automatic_solver(int64_t dimension, int32_t threads, int64_t memory_limit) {
  Call call(threads, memory_limit, nb::none());
  int32_t solver = 0;
  call.run([&](const ntk_call *how, ntk_error *error) { return ntk_solver_automatic(dimension, &solver, how, error); });
  return solver;
}

nb::tuple solve_operator(const SymmetricOperator &op, const Input &b, int32_t solver, double tolerance, int64_t most_iterations,
                         int32_t threads, int64_t memory_limit, nb::object progress) {
  Call call(threads, memory_limit, std::move(progress));
  const ntk_matrix right = row(b, "b");
  const ntk_solve_request request{solver, 0, tolerance, most_iterations};
  const int64_t bytes = matrix_bytes(right.rows, right.cols, NTK_FLOAT64, "solve");
  call.set_memory_limit(std::max<int64_t>(1, reserve(bytes, memory_limit, "solve")));
  const NewArray x = new_matrix(right.rows, right.cols, NTK_FLOAT64), residuals = new_vector(right.rows, NTK_FLOAT64);
  ntk_solve_result result{};
  op.run(call, [&](const ntk_symmetric_operator *self, const ntk_call *how, ntk_error *error) {
    return ntk_operator_solve(self, &request, &right, &x.view, &residuals.view, &result, how, error);
  });
  return nb::make_tuple(x.array, residuals.array, result.status, result.solver, result.iterations, result.jitter);
}

}  // namespace

void bind_solvers(nb::module_ &m) {
  m.def("solvers", &solvers, "The table of solvers: (name, what it is), by their place.");
  m.def("automatic_solver", &automatic_solver, nb::arg("dimension"), nb::arg("threads") = 0, nb::arg("memory_limit") = 0,
        "The place of the solver that suits an operator of `dimension` rows, by its size and the memory limit.");
  m.def("solve_operator", &solve_operator, nb::arg("op"), nb::arg("b"), nb::arg("solver") = -1, nb::arg("tolerance") = 1e-8,
        nb::arg("most_iterations") = 0, NTK_CALL_ARGUMENTS,
        "Solutions of A x = b for the rows of b, by the solver at a place of the table (-1: chosen by size and memory):\n"
        "(x as rows, relative residuals, status, the solver's place, iterations, jitter).");
}
