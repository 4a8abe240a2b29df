import VectorKernelTypes

/// All kernels of this CPU level. The same sources make one such function for each level.
public func makeKernelTable() -> KernelTable {
  KernelTable(float64: float64Kernels(), float32: float32Kernels(), tangent: tangentKernels())
}

// Two vectors at a time where there are 32 registers for them.
#if NTK_AVX512
  private typealias Float64 = PairLanes<DoubleLanes>
  private typealias Float32 = PairLanes<FloatLanes>
#else
  private typealias Float64 = DoubleLanes
  private typealias Float32 = FloatLanes
#endif

private func float64Kernels() -> ElementKernels {
  typealias L = Float64
  return ElementKernels(
    lanes: L.lanes, planes: 1,
    duals: [
      DualKernel(ReLUDual<L>.self), DualKernel(ABReluDual<L>.self), DualKernel(ErfDual<L, NoShift>.self),
      DualKernel(GeluDual<L>.self),
      DualKernel(SineDual<L>.self),
      DualKernel(RbfDual<L>.self), DualKernel(SignDual<L>.self), DualKernel(StepDual<L>.self), DualKernel(ExpDual<L>.self),
      DualKernel(GaussianDual<L>.self), DualKernel(GaborDual<L>.self), DualKernel(ExpNormalizedDual<L>.self),
      DualKernel(HermiteDual<L>.self), DualKernel(RectifiedMonomialDual<L>.self),
      DualKernel(AcuteReLUDual<L, WholeReach>.self), DualKernel(AcuteReLUDual<L, WideReach>.self),
      DualKernel(AcuteReLUDual<L, NarrowReach>.self), DualKernel(ErfDual<L, SomeShift>.self),
    ],
    layers: LayerStrips(
      dense: { denseStrip(L.self, $0) }, series: { seriesStrip(L.self, $0) }, scale: { scaleStrip(L.self, $0) },
      shrink: { shrinkStrip(L.self, $0) }, sum: { sumStrip(L.self, $0) }, product: { productStrip(L.self, $0) },
      gapFromProduct: { gapFromProductStrip(L.self, $0) }, covariance: { covarianceStrip(L.self, $0) },
      profile: { profileStrip(L.self, $0) }))
}

private func float32Kernels() -> ElementKernels {
  typealias L = Float32
  return ElementKernels(
    lanes: L.lanes, planes: 1,
    duals: [
      DualKernel(ReLUDual<L>.self), DualKernel(ABReluDual<L>.self), DualKernel(ErfDual<L, NoShift>.self),
      DualKernel(GeluDual<L>.self),
      DualKernel(SineDual<L>.self),
      DualKernel(RbfDual<L>.self), DualKernel(SignDual<L>.self), DualKernel(StepDual<L>.self), DualKernel(ExpDual<L>.self),
      DualKernel(GaussianDual<L>.self), DualKernel(GaborDual<L>.self), DualKernel(ExpNormalizedDual<L>.self),
      DualKernel(HermiteDual<L>.self), DualKernel(RectifiedMonomialDual<L>.self),
      DualKernel(AcuteReLUDual<L, WholeReach>.self), DualKernel(AcuteReLUDual<L, WideReach>.self),
      DualKernel(AcuteReLUDual<L, NarrowReach>.self), DualKernel(ErfDual<L, SomeShift>.self),
    ],
    layers: LayerStrips(
      dense: { denseStrip(L.self, $0) }, series: { seriesStrip(L.self, $0) }, scale: { scaleStrip(L.self, $0) },
      shrink: { shrinkStrip(L.self, $0) }, sum: { sumStrip(L.self, $0) }, product: { productStrip(L.self, $0) },
      gapFromProduct: { gapFromProductStrip(L.self, $0) }, covariance: { covarianceStrip(L.self, $0) },
      profile: { profileStrip(L.self, $0) }))
}

private func tangentKernels() -> ElementKernels {
  typealias L = TangentLanes
  return ElementKernels(
    lanes: L.lanes, planes: 2,
    duals: [
      DualKernel(ReLUDual<L>.self), DualKernel(ABReluDual<L>.self), DualKernel(ErfDual<L, NoShift>.self),
      DualKernel(GeluDual<L>.self),
      DualKernel(SineDual<L>.self),
      DualKernel(RbfDual<L>.self), DualKernel(SignDual<L>.self), DualKernel(StepDual<L>.self), DualKernel(ExpDual<L>.self),
      DualKernel(GaussianDual<L>.self), DualKernel(GaborDual<L>.self), DualKernel(ExpNormalizedDual<L>.self),
      DualKernel(HermiteDual<L>.self), DualKernel(RectifiedMonomialDual<L>.self),
      DualKernel(AcuteReLUDual<L, WholeReach>.self), DualKernel(AcuteReLUDual<L, WideReach>.self),
      DualKernel(AcuteReLUDual<L, NarrowReach>.self), DualKernel(ErfDual<L, SomeShift>.self),
    ],
    layers: LayerStrips(
      dense: { denseStrip(L.self, $0) }, series: { seriesStrip(L.self, $0) }, scale: { scaleStrip(L.self, $0) },
      shrink: { shrinkStrip(L.self, $0) }, sum: { sumStrip(L.self, $0) }, product: { productStrip(L.self, $0) },
      gapFromProduct: { gapFromProductStrip(L.self, $0) }, covariance: { covarianceStrip(L.self, $0) },
      profile: { profileStrip(L.self, $0) }))
}
